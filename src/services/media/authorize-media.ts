import { eq } from 'drizzle-orm'
import { asViewer, type Ctx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { notFound } from '../../platform/http/errors.ts'
import { accounts } from '../accounts/tables.ts'
import { visibleTo } from '../posts/policy.ts'
import { posts } from '../posts/tables.ts'
import { maySee } from '../posts/views.ts'
import { media } from './tables.ts'

/**
 * Who may see the media: everyone, or some, the reader idIn them. Throws `not_found` when the reader may not. Its owner
 * may until a post takes it; from then on it is for those who may see the post. One trip; for a comment, whose root counts too, more.
 */
export async function authorizeMedia(ctx: Ctx, mediaId: Id, readerId: Id | null): Promise<'public' | 'restricted'> {
  const [row] = await ctx.db
    .shardOf(mediaId)
    .select({
      ownerId: media.accountId,
      postId: media.postId,
      rootId: posts.rootId,
      visibility: posts.visibility,
      visible: visibleTo(readerId).as('visible'),
    })
    .from(media)
    .leftJoin(posts, eq(posts.id, media.postId))
    .leftJoin(accounts, eq(accounts.id, posts.authorId))
    .where(eq(media.id, mediaId))
  if (!row) throw notFound()
  const { postId, rootId } = row
  const isOwn = row.ownerId === readerId && postId === null
  const isVisible = isOwn || (Boolean(row.visible) && (!rootId || (await maySee(as(ctx, readerId), rootId))))
  if (!isVisible) throw notFound()
  return readerId === null || (row.visibility === 'public' && rootId === null) ? 'public' : 'restricted'
}

function as(ctx: Ctx, readerId: Id | null): Ctx {
  return readerId === null ? { ...ctx, viewer: null } : asViewer(ctx, readerId)
}
