import { on, onBatch } from '../../platform/events/events.ts'
import { postDeleted, postPublished } from '../posts/events.ts'
import { indexAndAnnounce } from './announce.ts'
import { unindexElsewhere, unlist } from './replicate.ts'

export const feedSubscriptions = [
  onBatch(postPublished, 'index-and-announce', indexAndAnnounce),
  on(postDeleted, 'unindex', async (ctx, { postId, authorId, rootId }) => {
    if (rootId === null) await unindexElsewhere(ctx, { id: postId, authorId })
  }),
  on(postDeleted, 'unlist', async (ctx, { postId, rootId }) => {
    if (rootId === null) await unlist(ctx, { id: postId })
  }),
]
