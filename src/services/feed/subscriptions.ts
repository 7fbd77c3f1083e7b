import { on } from '../../platform/events/events.ts'
import { onTask } from '../../platform/events/tasks.ts'
import { postDeleted, postPublished } from '../posts/events.ts'
import { enqueueFanOut, fanOutPost, pushToOnlineFollowers, replicatePost } from './fan-out.ts'

export const feedSubscriptions = [
  on(postPublished, async (ctx, { postId, authorId }) => {
    const { listed } = await replicatePost(ctx, { id: postId, authorId })
    if (listed) await enqueueFanOut(ctx, { postId, authorId })
  }),
  on(postDeleted, async (ctx, { postId, authorId, rootId }) => {
    if (rootId === null) await replicatePost(ctx, { id: postId, authorId })
  }),
]

export const feedTasks = [onTask(fanOutPost, pushToOnlineFollowers)]
