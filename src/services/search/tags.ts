import type { z } from '@hono/zod-openapi'
import { and, desc, gte, lt } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { foldCase } from '../../platform/data/fold.ts'
import { fromIndex } from './match.ts'
import { type AccountSearchQuery, requireText } from './people.ts'
import { tags } from './tables.ts'
import type { TagUses } from './views.ts'

/** A short beginning has many tags: of these, the first by name and the most used of all tags are compared. */
const COMPARED = 500
const LAST = '\u{10ffff}'

export async function searchTags(ctx: Ctx, { q, limit }: z.infer<typeof AccountSearchQuery>): Promise<TagUses> {
  const typed = foldCase(requireText(q))
  const { index } = ctx.db
  const isWanted = and(gte(tags.tag, typed), lt(tags.tag, typed + LAST))
  const [named, used] = await fromIndex(
    ctx,
    index.batch([
      index.select().from(tags).where(isWanted).limit(COMPARED),
      index.select().from(tags).orderBy(desc(tags.uses)).limit(COMPARED),
    ]),
  )
  const found = new Map([...named, ...used].map((row) => [row.tag, row]))
  const wanted = [...found.values()].filter(({ tag }) => tag.startsWith(typed))
  const sorted = wanted.sort((a, b) => b.uses - a.uses || (a.tag < b.tag ? -1 : 1))
  return { items: sorted.slice(0, limit) }
}
