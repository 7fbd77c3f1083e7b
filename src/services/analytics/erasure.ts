import { eq, gte, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import { surfaces } from './activities.ts'
import { bucketsBetween, LATE_MS, slotOf } from './buckets.ts'
import { deleteCells } from './cells.ts'
import { foldSlots } from './fold-slots.ts'
import { cellsOf, type Group } from './reading.ts'
import { activityChoices, slots } from './tables.ts'
import { insightsDays } from './variables.ts'

export const authorCounts = ['author.like', 'author.comment', 'author.follow'] as const
const hours = Array.from({ length: 24 }, (_, hour) => hour)
const SPAN_MS = 60 * DAY_MS

export async function eraseInsights(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const slot = slotOf(ctx.now())
  while (await foldSlots(ctx, lt(slots.slot, slot)));
  await foldSlots(ctx, gte(slots.slot, slot))
  await deleteSince(ctx, timeOf(accountId), (days, weeks) => [
    { metrics: [...authorCounts, 'author.views', 'author.reach'], buckets: days, keys: [accountId] },
    { metrics: ['author.reach'], buckets: weeks, keys: [accountId] },
    { metrics: ['author.from'], buckets: weeks, keys: keysOf(accountId, surfaces) },
    { metrics: ['author.hour'], buckets: weeks, keys: keysOf(accountId, hours) },
  ])
  await ctx.db.shardOf(accountId).delete(activityChoices).where(eq(activityChoices.accountId, accountId))
  return true
}

export const keysOf = (id: Id, parts: readonly (string | number)[]) => parts.map((part) => `${id}:${part}`)

/** In steps of 60 days, back to `since` or as far as roll-ups are kept. */
async function deleteSince(ctx: SystemCtx, since: number, groups: (days: string[], weeks: string[]) => Group[]) {
  const oldest = Math.max(since, ctx.now() - insightsDays(ctx) * DAY_MS) - LATE_MS
  for (let from = oldest; from <= ctx.now(); from += SPAN_MS) {
    const to = Math.min(from + SPAN_MS, ctx.now())
    const found = groups(bucketsBetween('day', from, to), bucketsBetween('week', from, to))
    await deleteCells(ctx.db.analytics, found.flatMap(cellsOf))
  }
}
