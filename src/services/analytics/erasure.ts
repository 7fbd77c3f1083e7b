import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import { surfaces } from './activities.ts'
import { bucketsBetween, LATE_MS } from './buckets.ts'
import { type Cell, deleteCells } from './cells.ts'
import { foldSlots } from './fold-slots.ts'
import { activityChoices } from './tables.ts'
import { insightsDays } from './variables.ts'

export const authorCounts = ['author.like', 'author.comment', 'author.follow', 'author.unfollow'] as const
const hours = Array.from({ length: 24 }, (_, hour) => hour)
const SPAN_MS = 60 * DAY_MS

export const product = (metrics: readonly string[], buckets: readonly string[], keys: readonly string[]): Cell[] =>
  metrics.flatMap((metric) => buckets.flatMap((bucket) => keys.map((key) => ({ metric, bucket, key }))))

/** Deletes what was counted for an account, and what it has decided. */
export async function eraseInsights(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  while (await foldSlots(ctx));
  await deleteSince(ctx, timeOf(accountId), (days, weeks) => [
    ...product([...authorCounts, 'author.views', 'author.reach'], days, [accountId]),
    ...product(['author.reach'], weeks, [accountId]),
    ...product(['author.from'], weeks, keysOf(accountId, surfaces)),
    ...product(['author.hour'], weeks, keysOf(accountId, hours)),
  ])
  await ctx.db.shardOf(accountId).delete(activityChoices).where(eq(activityChoices.accountId, accountId))
  return true
}

export const keysOf = (id: Id, parts: readonly (string | number)[]) => parts.map((part) => `${id}:${part}`)

/** In steps of 60 days, back to `since` or as far as roll-ups are kept. */
async function deleteSince(ctx: SystemCtx, since: number, cells: (days: string[], weeks: string[]) => Cell[]) {
  const oldest = Math.max(since, ctx.now() - insightsDays(ctx) * DAY_MS) - LATE_MS
  for (let from = oldest; from <= ctx.now(); from += SPAN_MS) {
    const to = Math.min(from + SPAN_MS, ctx.now())
    const found = cells(bucketsBetween('day', from, to), bucketsBetween('week', from, to))
    await ctx.db.analytics.batch(deleteCells(ctx.db.analytics, found))
  }
}
