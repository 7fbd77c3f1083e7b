import { on } from '../../platform/events/events.ts'
import { onTask } from '../../platform/events/tasks.ts'
import { postDeleted, postPublished } from '../posts/events.ts'
import { enqueueFanOut, fanOutPost, pushToOnlineFollowers } from './fan-out.ts'
import { replicatePost } from './replicate.ts'

export const feedSubscriptions = [
  on(postPublished, 'replicate', async (ctx, { postId, authorId }) => {
    const { listed } = await replicatePost(ctx, { id: postId, authorId })
    if (listed) await enqueueFanOut(ctx, { postId, authorId })
  }),
  on(postDeleted, 'replicate', async (ctx, { postId, authorId, rootId }) => {
    if (rootId === null) await replicatePost(ctx, { id: postId, authorId })
  }),
]

export const feedTasks = [onTask(fanOutPost, pushToOnlineFollowers)]
