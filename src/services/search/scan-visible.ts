import type { SQL } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { loadPosts } from '../posts/views.ts'
import { snippetOf } from './snippets.ts'
import type { FoundPost } from './views.ts'

const ROUND = 50
const ROUNDS = 3
/** The most candidates that one page reads. */
export const SCANNED = ROUND * ROUNDS
/** A page ends after so many visible posts. Hidden ones do not count, so that they do not shorten a page. */
const VISIBLE = 100

/** What to look for in `post_search`. */
export type Wanted = { where: SQL | undefined; texts: string[]; minLikes: number }

type Candidate = { id: Id }
type Scan = { found: FoundPost[]; resumeAt: Id | null }

/**
 * Loads candidates in rounds of 50, until one more than `limit` is visible and wanted. `resumeAt` is the last candidate
 * that was looked at, if others may follow. What the viewer may not see changes neither the posts nor whether more follow.
 */
export async function scanVisible(
  ctx: Ctx,
  candidates: readonly Candidate[],
  { texts, minLikes }: Omit<Wanted, 'where'>,
  limit: number,
): Promise<Scan> {
  const found: FoundPost[] = []
  let visible = 0
  for (let at = 0; at < candidates.length; at += ROUND) {
    const ids = candidates.slice(at, at + ROUND).map(({ id }) => id)
    const posts = await loadPosts(ctx, ids)
    for (const id of ids) {
      const post = posts.get(id)
      if (!post) continue
      visible += 1
      if (post.likeCount >= minLikes) found.push({ id, post, snippet: snippetOf(post.text, texts) })
      if (found.length > limit) return { found, resumeAt: null }
      if (visible === VISIBLE) return { found, resumeAt: id }
    }
  }
  return { found, resumeAt: candidates.length === SCANNED ? (candidates.at(-1)?.id ?? null) : null }
}
