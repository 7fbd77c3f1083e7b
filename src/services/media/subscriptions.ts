import { eq } from 'drizzle-orm'
import { on } from '../../platform/events/events.ts'
import { postDeleted } from '../posts/events.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { media } from './tables.ts'

export const mediaSubscriptions = [
  on(postDeleted, 'delete-images', async (ctx, { postId }) => {
    const db = ctx.db.shardOf(postId)
    await markDeleted(db, eq(media.postId, postId))
    await purgeDeleted(ctx, db)
  }),
]
