import { and, eq, gte, inArray, like, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS, deleteInSteps } from '../../platform/data/expiry.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { kinds } from './activities.ts'
import { closesAt, dateOf, slotOf } from './buckets.ts'
import { SLOT_MS } from './count.ts'
import { foldOldSlots } from './fold-slots.ts'
import { LOG, SALTS } from './log-names.ts'
import { rollups, sketches, slots, topPosts } from './tables.ts'
import { activityLogDays, insightsDays } from './variables.ts'

const metrics = [
  ...kinds.map((kind) => `site.${kind}`),
  ...['people', 'cohort', 'funnel', 'views', 'post.like', 'post.comment', 'post.reach', 'post.from'],
  ...['author.like', 'author.comment', 'author.follow', 'author.views', 'author.reach', 'author.from', 'author.hour'],
]
/** Hours are only needed while their day is new. */
const HOURS_MS = 30 * DAY_MS

export const analyticsJobs: Job[] = [
  { name: 'fold the activity of the last hour', every: 'hour', run: foldOldSlots },
  { name: 'destroy the salts of closed buckets', every: 'hour', run: destroySalts },
  { name: 'delete old activity', every: 'day', run: deleteOldActivity },
]

/** After this nobody can tell who the members of a bucket are, also not from the log. */
async function destroySalts(ctx: SystemCtx): Promise<void> {
  await deleteObjects(ctx, SALTS, (name) => closesAt(name) <= ctx.now())
}

async function deleteOldActivity(ctx: SystemCtx): Promise<void> {
  const db = ctx.db.analytics
  const firstDay = dateOf(ctx.now() - activityLogDays(ctx) * DAY_MS)
  await deleteObjects(ctx, LOG, (name) => name.slice(0, firstDay.length) < firstDay)
  await deleteInSteps(db, slots, [slots.slot], and(eq(slots.open, false), lt(slots.slot, slotOf(ctx.now() - SLOT_MS))))
  const oldest = dateOf(ctx.now() - insightsDays(ctx) * DAY_MS)
  const oldestHour = dateOf(ctx.now() - HOURS_MS)
  for (const table of [rollups, sketches]) {
    const key = [table.metric, table.bucket, table.key]
    for (const metric of metrics) {
      for (const letter of ['d', 'w', 'm', 'c', 'h']) {
        const before = `${letter}${letter === 'h' ? oldestHour : oldest}`
        const old = and(inArray(table.metric, [metric]), gte(table.bucket, letter), lt(table.bucket, before))
        await deleteInSteps(db, table, key, old)
      }
    }
  }
  await deleteInSteps(
    db,
    topPosts,
    [topPosts.bucket],
    and(like(topPosts.bucket, 'd%'), lt(topPosts.bucket, `d${oldest}`)),
  )
}

/** `isOld` gets the name without its prefix. */
async function deleteObjects({ env }: SystemCtx, prefix: string, isOld: (name: string) => boolean): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await env.ACTIVITY_LOG.list({ prefix, cursor })
    const old = page.objects.flatMap(({ key }) => (isOld(key.slice(prefix.length)) ? [key] : []))
    if (old.length > 0) await env.ACTIVITY_LOG.delete(old)
    cursor = page.truncated && old.length > 0 ? page.cursor : undefined
  } while (cursor !== undefined)
}
