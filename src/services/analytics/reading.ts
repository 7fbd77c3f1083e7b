import { and, eq, gte, inArray, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { commaList } from '../../platform/data/conditions.ts'
import { bucketOf, hourOf, MINUTE_MS, minuteOf, steps } from './buckets.ts'
import type { Cell } from './cells.ts'
import { cellName, merged } from './fold.ts'
import { Sketch } from './sketch.ts'
import { rollups, sketches, slots } from './tables.ts'

/** Slots are folded once an hour. Older ones are open again only if something arrived late, until the next hour. */
const LIVE_MINUTES = 75

/** The cells with each of these metrics, buckets and keys. */
export type Group = { metrics: readonly string[]; buckets: readonly string[]; keys: readonly string[] }

/** Numbers of roll-ups, with what is not folded yet. */
export type Numbers = {
  count: (metric: string, bucket: string, key?: string) => number
  people: (metric: string, bucket: string, key?: string) => number
}

const nameOf = ({ metric, bucket, key }: Cell) => cellName(metric, bucket, key)

export const cellsOf = ({ metrics, buckets, keys }: Group): Cell[] =>
  metrics.flatMap((metric) => buckets.flatMap((bucket) => keys.map((key) => ({ metric, bucket, key }))))

/** Reads cells of roll-ups and of sketches in one trip. A group needs at most 100 names. */
export async function numbersOf(ctx: SystemCtx, counts: readonly Group[], members: readonly Group[]): Promise<Numbers> {
  const db = ctx.db.analytics
  const [rows, sets, open] = await Promise.all([
    Promise.all(counts.map((group) => db.select().from(rollups).where(isIn(rollups, group)))),
    Promise.all(members.map((group) => db.select().from(sketches).where(isIn(sketches, group)))),
    liveNumbers(ctx, counts, members),
  ])
  const sums = new Map(rows.flat().map((row) => [nameOf(row), row.n]))
  const stored = new Map(sets.flat().map((row) => [nameOf(row), row.sketch]))
  const sizes = new Map(
    [...new Set([...stored.keys(), ...Object.keys(open.members)])].map((name) => [
      name,
      new Sketch(stored.get(name)).add(open.members[name] ?? []).size,
    ]),
  )
  return {
    count: (metric, bucket, key) => {
      const name = cellName(metric, bucket, key)
      return (sums.get(name) ?? 0) + (open.counts[name] ?? 0)
    },
    people: (metric, bucket, key) => sizes.get(cellName(metric, bucket, key)) ?? 0,
  }
}

function isIn(table: typeof rollups | typeof sketches, { metrics, buckets, keys }: Group): SQL | undefined {
  return and(inArray(table.metric, [...metrics]), inArray(table.bucket, [...buckets]), inArray(table.key, [...keys]))
}

/** What open slots have of the cells. */
async function liveNumbers(ctx: SystemCtx, counts: readonly Group[], members: readonly Group[]) {
  const since = minuteOf(ctx.now()) - LIVE_MINUTES
  const [wantedCounts, wantedMembers] = [liveNames(ctx, counts), liveNames(ctx, members)]
  const rows = await ctx.db.analytics
    .select({
      counts: picked(slots.counts, wantedCounts).as('picked_counts'),
      members: picked(slots.members, wantedMembers).as('picked_members'),
    })
    .from(slots)
    .where(and(gte(slots.minute, since), eq(slots.open, true)))
  return merged(
    rows.map((row) => ({
      site: {},
      counts: named<number>(wantedCounts, row.counts),
      members: named<string[]>(wantedMembers, row.members),
    })),
  )
}

/** The names of those cells to which the activity of the last minutes can add. */
function liveNames(ctx: SystemCtx, groups: readonly Group[]): string[] {
  const times = [ctx.now(), ctx.now() - LIVE_MINUTES * MINUTE_MS]
  const live = new Set(times.flatMap((at) => [...steps.map((step) => bucketOf(step, at)), hourOf(at)]))
  const isLive = ({ bucket }: Cell) => bucket.startsWith('c') || live.has(bucket)
  return groups.flatMap(cellsOf).filter(isLive).map(nameOf)
}

/** Parts of a JSON object as a JSON array. The last is absent: with a single path, SQLite returns no array. */
function picked(column: SQLWrapper, names: readonly string[]) {
  const paths = [...names, ''].map((name) => sql.param(`$."${name}"`))
  return sql.join([sql.raw('json_extract('), commaList([column, ...paths]), sql.raw(')')]).mapWith(String)
}

function named<T>(names: readonly string[], json: string): Record<string, T> {
  const values: (T | null)[] = JSON.parse(json)
  return Object.fromEntries(
    names.flatMap((name, i) => {
      const value = values[i] ?? null
      return value === null ? [] : [[name, value]]
    }),
  )
}
