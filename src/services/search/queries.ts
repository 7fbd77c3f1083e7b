import { eq } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { continuedAt, loadPage, type Page, type Seek } from '../../platform/data/page.ts'
import type { Post } from '../posts/views.ts'
import { matches } from './match.ts'
import { candidates, scanVisible } from './scan-visible.ts'
import { postSearch, tagFollows } from './tables.ts'
import { encoded } from './tokens.ts'

type Wanted = { any: readonly string[]; all?: readonly string[]; none?: readonly string[] }

/** The expression of FTS5 for posts with hashtags, without comments. */
export function tagMatch({ any, all = [], none = [] }: Wanted): string {
  const phrases = (tags: readonly string[]) => tags.map((tag) => `"${encoded(tag)}"`)
  const without = [...phrases(none).map((phrase) => `(tags : ${phrase})`), '(facts : "isreply")']
  const wanted = [`(${phrases(any).join(' OR ')})`, ...phrases(all)].join(' AND ')
  return `(tags : (${wanted})) NOT (${without.join(' OR ')})`
}

export async function followedTags(ctx: SystemCtx, accountId: Id): Promise<string[]> {
  const own = eq(tagFollows.accountId, accountId)
  const rows = await ctx.db.shardOf(accountId).select({ tag: tagFollows.tag }).from(tagFollows).where(own)
  return rows.map(({ tag }) => tag)
}

type Row = { id: Id }
type Load<R> = (rows: R[]) => Promise<ReadonlyMap<Id, Post>>

/** A page of a feed: its own `rows`, which `load` loads, with the visible posts that have one of the hashtags among them. */
export async function loadWithTagged<R extends Row>(
  ctx: Ctx,
  from: Seek,
  { rows, tags, load }: { rows: readonly R[]; tags: readonly string[]; load: Load<R> },
): Promise<Page<Post>> {
  const limit = from.query.limit
  const { found, resumeAt } = await scanTagged(ctx, from, tags, rows[limit]?.id)
  const tagged = new Map(found.map(({ id, post }) => [id, post]))
  const own = new Map(rows.map((row) => [row.id, row]))
  const end = found.length > limit ? null : resumeAt
  const isAfter = (a: Id, b: Id) => (from.variant.backward ? Number(a) > Number(b) : Number(a) < Number(b))
  const merged = [...new Set([...own.keys(), ...tagged.keys()])].filter((id) => !end || !isAfter(id, end))
  const page = await loadPage(
    ctx,
    from,
    merged.sort((a, b) => (isAfter(a, b) ? 1 : -1)).map((id) => ({ id })),
    async (kept) => {
      const loaded = await load(kept.flatMap(({ id }) => own.get(id) ?? []))
      return new Map([...tagged, ...loaded])
    },
  )
  return end && merged.length <= limit ? continuedAt(ctx, from, page, end) : page
}

/** Not beyond `last`, where the page ends without hashtags. If the index fails, the feed goes on without them. */
async function scanTagged(ctx: Ctx, from: Seek, tags: readonly string[], last: Id | undefined) {
  const where = matches(postSearch, tagMatch({ any: tags }))
  const { rows } = await candidates(ctx, from, { where, last }).catch((error: unknown) => {
    ctx.log.warn('the home feed lacks its hashtags', { error })
    return { rows: [] }
  })
  return scanVisible(ctx, rows, from.query.limit)
}
