import { eq } from 'drizzle-orm'
import { asViewer, type Ctx } from '../../platform/context.ts'
import { flag } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { notFound } from '../../platform/failures.ts'
import { knownTo } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { mayLoadImage } from '../messaging/queries.ts'
import { isAddressedTo, isPublic, visibleTo } from '../posts/policy.ts'
import { posts } from '../posts/tables.ts'
import { visiblePosts } from '../posts/views.ts'
import { IN_MESSAGE, IN_PROFILE, media, SENDING } from './tables.ts'

type Reader = { readerId: Id | null; isSigned: boolean }

/** Only its owner may read an unattached image. Others are as visible as their message, post or profile. Throws `not_found`. */
export async function authorizeMedia(
  ctx: Ctx,
  mediaId: Id,
  { readerId, isSigned }: Reader,
): Promise<'public' | 'restricted'> {
  const [row] = await ctx.db
    .shardOf(mediaId)
    .select({
      ownerId: media.accountId,
      postId: media.postId,
      conversationId: media.conversationId,
      rootId: posts.rootId,
      authorId: posts.authorId,
      parentAuthorId: posts.parentAuthorId,
      entities: posts.entities,
      visibility: posts.visibility,
      visible: flag(visibleTo(readerId), 'visible'),
      known: flag(knownTo(readerId), 'known'),
    })
    .from(media)
    .leftJoin(posts, eq(posts.id, media.postId))
    .leftJoin(accounts, eq(accounts.id, media.accountId))
    .where(eq(media.id, mediaId))
  if (!row) throw notFound()
  const { postId, rootId, visibility, visible, known } = row
  if (postId === IN_PROFILE && known) return 'public'
  if (postId === SENDING || postId === IN_MESSAGE) {
    // Only by a signed URL, because the scope of a token for media does not cover messages.
    const isReadable = isSigned && known && readerId !== null
    if (!isReadable || !(await mayLoadImage(ctx, row.conversationId, readerId, mediaId))) throw notFound()
    return 'restricted'
  }
  const isOwn = row.ownerId === readerId && postId === null
  const isReadable = visible && (!rootId || isAddressedTo(readerId, row) || (await maySee(ctx, readerId, rootId)))
  if (!isOwn && !isReadable) throw notFound()
  return readerId === null || (visibility && isPublic({ visibility, rootId })) ? 'public' : 'restricted'
}

async function maySee(ctx: Ctx, readerId: Id | null, postId: Id): Promise<boolean> {
  const reader = readerId === null ? { ...ctx, viewer: null } : asViewer(ctx, readerId)
  return (await visiblePosts(reader, [postId])).has(postId)
}
