import { on } from '../../platform/events.ts'
import { handle } from '../../platform/tasks.ts'
import { postDeleted, postPublished } from '../posts/events.ts'
import { announce, announcePost, pushToOnline, spreadPost } from './spread.ts'

export const feedSubscriptions = [
  on(postPublished, async (ctx, { postId, authorId }) => {
    await spreadPost(ctx, { id: postId, authorId })
    await announce(ctx, { postId, authorId })
  }),
  on(postDeleted, (ctx, { postId, authorId }) => spreadPost(ctx, { id: postId, authorId })),
]

export const feedTasks = [handle(announcePost, pushToOnline)]
