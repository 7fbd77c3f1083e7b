import { eq } from 'drizzle-orm'
import { on } from '../../platform/events/events.ts'
import { postDeleted } from '../posts/events.ts'
import { dropMedia, removeDropped } from './deletion.ts'
import { media } from './tables.ts'

export const mediaSubscriptions = [
  on(postDeleted, async (ctx, { postId }) => {
    const db = ctx.db.shardOf(postId)
    await dropMedia(db, eq(media.postId, postId))
    await removeDropped(ctx, db)
  }),
]
