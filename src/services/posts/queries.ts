import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, isoTimeOf } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { iso, pagesOf } from '../../platform/personal-data.ts'
import { feedIndex } from '../feed/tables.ts'
import { type Span, scan } from './scan.ts'
import { posts } from './tables.ts'

/** For exports: the posts (or comments, by `lane`) of an account, oldest first, in pages. */
export async function* exportedPosts(ctx: SystemCtx, accountId: Id, lane: number) {
  const db = ctx.db.shardOf(accountId)
  const skeleton = pagesOf((after, limit) =>
    db
      .select({ id: feedIndex.postId })
      .from(feedIndex)
      .where(and(eq(feedIndex.authorId, accountId), eq(feedIndex.lane, lane), gt(feedIndex.postId, after)))
      .orderBy(asc(feedIndex.postId))
      .limit(limit),
  )
  for await (const page of skeleton) {
    const ids = page.map(({ id }) => id)
    const rows = await db.select().from(posts).where(idIn(posts.id, ids)).orderBy(asc(posts.id))
    yield rows.map(({ authorId: _, parentAuthorId: __, media, ...post }) => ({
      ...post,
      media: media.map(({ placeholder: _, ...image }) => image),
      createdAt: isoTimeOf(post.id),
      editedAt: iso(post.editedAt),
    }))
  }
}

/** The mentions, hashtags and links of a text of another service. A mention has a handle, which may be nobody's. */
export const spansOf = (text: string): Span[] => scan(text)

/** The hashtag that a text names, with or without #, as posts store it. Null if it names none. */
export function tagOf(text: string): string | null {
  const typed = text.startsWith('#') ? text : `#${text}`
  const [span] = scan(typed)
  return span?.kind === 'hashtag' && span.start === 0 && span.end === Array.from(typed).length ? span.tag : null
}
