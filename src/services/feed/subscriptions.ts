import { on } from '../../platform/events/events.ts'
import { handle } from '../../platform/events/tasks.ts'
import { postDeleted, postPublished } from '../posts/events.ts'
import { announce, announcePost, pushToOnline, spreadPost } from './fan-out.ts'

export const feedSubscriptions = [
  on(postPublished, async (ctx, { postId, authorId }) => {
    const { listed } = await spreadPost(ctx, { id: postId, authorId })
    if (listed) await announce(ctx, { postId, authorId })
  }),
  on(postDeleted, async (ctx, { postId, authorId, rootId }) => {
    if (rootId === null) await spreadPost(ctx, { id: postId, authorId })
  }),
]

export const feedTasks = [handle(announcePost, pushToOnline)]
