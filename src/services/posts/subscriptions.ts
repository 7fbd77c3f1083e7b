import { on } from '../../platform/events/events.ts'
import { postDeleted, postPublished } from './events.ts'
import { deleteThread, syncThreads } from './threads.ts'

export const postSubscriptions = [
  on(postPublished, 'index-comment', syncThreads),
  on(postDeleted, 'unindex-comment', syncThreads),
  on(postDeleted, 'delete-thread', (ctx, { postId }) => deleteThread(ctx, postId)),
]
