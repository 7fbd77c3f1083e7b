import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, jsonList, type PersonalData } from '../../platform/personal-data.ts'
import { bucketsBetween } from './buckets.ts'
import type { Cell } from './cells.ts'
import { authorCounts, eraseInsights } from './erasure.ts'
import { cellsOf, numbersOf } from './reading.ts'
import { activityChoices, folds, rollups, sketches, slots, topPosts } from './tables.ts'
import { insightsDays } from './variables.ts'

const DAYS_PER_READ = 60

const cell = { metric: 'technical', bucket: 'technical' } as const

/** Sketches and the log have only hashes of people, whose salts expire. Messages of people who read something are dropped, not kept as dead letters. */
export const analyticsData: PersonalData = {
  inventory: {
    ...classify(activityChoices, { accountId: 'owner', agreed: 'exported', decidedAt: 'exported' }),
    ...classify(rollups, { ...cell, key: 'owner', n: 'exported' }),
    ...classify(sketches, { ...cell, key: 'owner', sketch: 'technical' }),
    ...classify(slots, {
      slot: 'technical',
      version: 'technical',
      open: 'technical',
      ids: 'technical',
      site: 'technical',
      counts: 'technical',
      members: 'technical',
    }),
    ...classify(folds, { id: 'technical', version: 'technical' }),
    ...classify(topPosts, { bucket: 'technical', posts: 'technical' }),
    'R2 ACTIVITY_LOG log/<day>/': { objects: 'technical' },
    'R2 ACTIVITY_LOG salts/<bucket>': { object: 'secret' },
    'queue ACTIVITY': { body: 'technical' },
  },
  exported,
  erase: eraseInsights,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const [choice] = await ctx.db
    .shardOf(accountId)
    .select()
    .from(activityChoices)
    .where(eq(activityChoices.accountId, accountId))
  if (choice) {
    yield jsonFile('activity-choice.json', { agreed: choice.agreed, decidedAt: iso(choice.decidedAt) })
  }
  yield jsonList('insights.json', countsOf(ctx, accountId))
}

async function* countsOf(ctx: SystemCtx, accountId: Id) {
  const all = bucketsBetween('day', ctx.now() - insightsDays(ctx) * DAY_MS, ctx.now())
  for (let at = 0; at < all.length; at += DAYS_PER_READ) {
    const group = { metrics: authorCounts, buckets: all.slice(at, at + DAYS_PER_READ), keys: [accountId] }
    const { count, people } = await numbersOf(ctx, [group], [group])
    const numberOf = ({ metric, bucket, key }: Cell) => count(metric, bucket, key) + people(metric, bucket, key)
    const found = cellsOf(group).map((cell) => ({ ...cell, n: numberOf(cell) }))
    const days = found.flatMap(({ metric, bucket, n }) =>
      n > 0 ? [{ day: bucket.slice(1), what: metric.replace('author.', ''), n }] : [],
    )
    if (days.length > 0) yield days
  }
}
