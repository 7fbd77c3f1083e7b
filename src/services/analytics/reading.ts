import { and, desc, inArray, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { commaList } from '../../platform/data/conditions.ts'
import { bucketsBetween, steps } from './buckets.ts'
import type { Cell } from './cells.ts'
import { cellName, merged, nameOf } from './fold.ts'
import { isOpen } from './fold-slots.ts'
import { Sketch } from './sketch.ts'
import { rollups, sketches, slots } from './tables.ts'

/** Slots are folded once an hour. If folding fails, so many open ones are read, the newest first. */
const MOST_SLOTS = 300
/** Open slots are read for buckets of this time only. */
const LIVE_MS = 26 * 3_600_000
/** D1 allows functions of 32 arguments. */
const MOST_PATHS = 30

export type Group = { metrics: readonly string[]; buckets: readonly string[]; keys: readonly string[] }

/** Numbers of roll-ups, with what is not folded yet. */
export type Numbers = {
  count: (metric: string, bucket: string, key?: string) => number
  people: (metric: string, bucket: string, key?: string) => number
}

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

async function liveNumbers(ctx: SystemCtx, counts: readonly Group[], members: readonly Group[]) {
  const [wantedCounts, wantedMembers] = [liveNames(ctx, counts), liveNames(ctx, members)]
  const rows = await ctx.db.analytics
    .select({
      slot: slots.slot,
      ...picked('counts', slots.counts, wantedCounts),
      ...picked('members', slots.members, wantedMembers),
    })
    .from(slots)
    .where(isOpen)
    .orderBy(desc(slots.slot))
    .limit(MOST_SLOTS)
  return merged(
    rows.map((row) => ({
      site: {},
      counts: named<number>(wantedCounts, 'counts', row),
      members: named<string[]>(wantedMembers, 'members', row),
    })),
  )
}

/** The names of those cells to which the activity of the last day can add. */
function liveNames(ctx: SystemCtx, groups: readonly Group[]): string[] {
  const now = ctx.now()
  const live = new Set(steps.flatMap((step) => bucketsBetween(step, now - LIVE_MS, now)))
  const isLive = ({ bucket }: Cell) => bucket.startsWith('c') || live.has(bucket)
  return groups.flatMap(cellsOf).filter(isLive).map(nameOf)
}

const partsOf = (names: readonly string[]) =>
  Array.from({ length: Math.ceil(names.length / MOST_PATHS) }, (_, i) =>
    names.slice(i * MOST_PATHS, (i + 1) * MOST_PATHS),
  )

/** Parts of a JSON object as JSON arrays. The last path is absent: with a single one, SQLite returns no array. */
function picked(prefix: string, column: SQLWrapper, names: readonly string[]) {
  const columns = partsOf(names).map((part, i) => {
    const paths = [...part, ''].map((name) => sql.param(`$."${name}"`))
    const call = sql.join([sql.raw('json_extract('), commaList([column, ...paths]), sql.raw(')')])
    return [`${prefix}${i}`, call.mapWith(String).as(`${prefix}${i}`)] as const
  })
  return Object.fromEntries(columns)
}

function named<T>(names: readonly string[], prefix: string, row: Record<string, unknown>): Record<string, T> {
  const entries = partsOf(names).flatMap((part, i) => {
    const values: (T | null)[] = JSON.parse(String(row[`${prefix}${i}`] ?? '[]'))
    return part.flatMap((name, at): [string, T][] => {
      const value = values[at] ?? null
      return value === null ? [] : [[name, value]]
    })
  })
  return Object.fromEntries(entries)
}
