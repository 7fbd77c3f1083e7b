import { and, eq, gte, type SQL } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { Seek } from '../../platform/data/page.ts'
import { matches } from './match.ts'
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
