import { and, eq, gte, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { minuteOf } from './buckets.ts'
import { type Cell, countsIn, sketchesIn } from './cells.ts'
import { cellName, merged } from './fold.ts'
import { Sketch } from './sketch.ts'
import { slots } from './tables.ts'

/** Slots are folded once an hour. Older ones are open again only if something arrived late, until the next hour. */
const LIVE_MINUTES = 75

/** Numbers of roll-ups, with what is not folded yet. */
export type Numbers = {
  count: (metric: string, bucket: string, key?: string) => number
  people: (metric: string, bucket: string, key?: string) => number
}

const nameOf = ({ metric, bucket, key }: Cell) => cellName(metric, bucket, key)

/** Reads cells of roll-ups and of sketches in one trip. */
export async function numbersOf(ctx: SystemCtx, counts: readonly Cell[], members: readonly Cell[]): Promise<Numbers> {
  const db = ctx.db.analytics
  const since = minuteOf(ctx.now()) - LIVE_MINUTES
  const [rows, sets, live] = await Promise.all([
    countsIn(db, counts),
    sketchesIn(db, members),
    db
      .select({
        counts: picked('counts', counts).as('picked_counts'),
        members: picked('members', members).as('picked_members'),
      })
      .from(slots)
      .where(and(gte(slots.minute, since), eq(slots.open, true))),
  ])
  const open = merged(
    live.map((slot) => ({ site: {}, counts: JSON.parse(slot.counts), members: JSON.parse(slot.members) })),
  )
  const sums = new Map(rows.map((row) => [nameOf(row), row.n]))
  const stored = new Map(sets.map((row) => [nameOf(row), row.sketch]))
  const sizes = new Map<string, number>()
  for (const name of new Set([...stored.keys(), ...Object.keys(open.members)])) {
    sizes.set(name, new Sketch(stored.get(name)).add(open.members[name] ?? []).size)
  }
  return {
    count: (metric, bucket, key) => {
      const name = cellName(metric, bucket, key)
      return (sums.get(name) ?? 0) + (open.counts[name] ?? 0)
    },
    people: (metric, bucket, key) => sizes.get(cellName(metric, bucket, key)) ?? 0,
  }
}

/** The wanted cells of a slot, as JSON: a slot has those of all accounts. */
function picked(column: 'counts' | 'members', cells: readonly Cell[]) {
  const { value } = column === 'counts' ? { value: sql.raw('each.value') } : { value: sql.raw('json(each.value)') }
  const wanted = sql.param(JSON.stringify(cells.map(nameOf)))
  return sql
    .join([
      sql.raw('(select json_group_object(each.key, '),
      value,
      sql.raw(`) from json_each("slots"."${column}") each where each.key in (select value from json_each(`),
      wanted,
      sql.raw(')))'),
    ])
    .mapWith(String)
}
