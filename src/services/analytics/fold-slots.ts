import { and, asc, eq, exists, inArray, lt, type SQL, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { failUnless, increment, one, query, refusals } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { MINUTE_MS, minuteOf } from './buckets.ts'
import { type Cell, countsIn, sketchesIn } from './cells.ts'
import { cellIn, cellName, merged } from './fold.ts'
import { Sketch } from './sketch.ts'
import { folds, rollups, sketches, slots, topPosts } from './tables.ts'
import { topAfter } from './top-posts.ts'

const SLOTS_PER_STEP = 70
const ROWS_PER_INSERT = 20
const MAX_ATTEMPTS = 5
/** Slots stay open for so long, because most late activities arrive by then. */
const OPEN_MS = 10 * MINUTE_MS

class Busy extends Error {}

/** Adds the counts of slots that are ten minutes old to the roll-ups. Charts add those of the others when they are read. */
export async function foldOldSlots(ctx: SystemCtx): Promise<void> {
  while (await foldSlots(ctx, lt(slots.minute, minuteOf(ctx.now() - OPEN_MS))));
}

/** Folds up to 70 open slots in one batch, so that an interruption loses and repeats nothing. Returns whether there were any. */
export async function foldSlots(ctx: SystemCtx, which?: SQL): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryFold(ctx, which)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(error instanceof Busy)) throw error
    }
  }
}

async function tryFold(ctx: SystemCtx, which?: SQL): Promise<boolean> {
  const db = ctx.db.analytics
  const [folded = { version: 0 }] = await db.select({ version: folds.version }).from(folds)
  const rows = await db
    .select()
    .from(slots)
    .where(and(eq(slots.open, true), which))
    .orderBy(asc(slots.minute))
    .limit(SLOTS_PER_STEP)
  if (rows.length === 0) return false
  const { counts, members } = merged(rows)
  const [sums, sets] = await Promise.all([addedCounts(db, counts), addedMembers(db, members)])
  const tops = await topAfter(db, sums)
  const minutes = rows.map(({ minute }) => minute)
  const isUnchanged = (minute: number, version: number) => and(eq(slots.minute, minute), eq(slots.version, version))
  const checks = rows.map(({ minute, version }) =>
    failUnless(db, exists(query.select(one).from(slots).where(isUnchanged(minute, version))), 'busy'),
  )
  const isNext = exists(query.select(one).from(folds).where(eq(folds.version, folded.version)))
  await db
    .batch([
      failUnless(db, isNext, 'busy'),
      ...checks,
      db.update(folds).set({ version: increment(folds.version) }),
      db
        .update(slots)
        .set({ open: false, counts: {}, members: {}, version: increment(slots.version) })
        .where(inArray(slots.minute, minutes)),
      ...chunks(sums).map((values) => insertCounts(db, values)),
      ...chunks(sets).map((values) => insertSketches(db, values)),
      ...tops.map((values) =>
        db
          .insert(topPosts)
          .values(values)
          .onConflictDoUpdate({ target: topPosts.bucket, set: { posts: values.posts } }),
      ),
    ])
    .catch(refusals({ busy: () => new Busy() }))
  return true
}

function chunks<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_PER_INSERT) }, (_, i) =>
    rows.slice(i * ROWS_PER_INSERT, (i + 1) * ROWS_PER_INSERT),
  )
}

async function addedCounts(db: Database, counts: Record<string, number>) {
  const cells = Object.entries(counts).map(([name, n]) => ({ ...cellIn(name), n }))
  const before = new Map((await countsIn(db, cells)).map((row) => [nameOf(row), row.n]))
  return cells.map((cell) => ({ ...cell, n: cell.n + (before.get(nameOf(cell)) ?? 0) }))
}

async function addedMembers(db: Database, members: Record<string, string[]>) {
  const cells = Object.entries(members).map(([name, more]) => ({ ...cellIn(name), more }))
  const before = new Map((await sketchesIn(db, cells)).map((row) => [nameOf(row), row.sketch]))
  return cells.flatMap(({ more, ...cell }) => {
    const old = before.get(nameOf(cell))
    const sketch = new Sketch(old).add(more).toString()
    return sketch === old ? [] : [{ ...cell, sketch }]
  })
}

const nameOf = ({ metric, bucket, key }: Cell) => cellName(metric, bucket, key)
const target = (table: typeof rollups | typeof sketches) => [table.metric, table.bucket, table.key]

function insertCounts(db: Database, values: (typeof rollups.$inferInsert)[]) {
  return db
    .insert(rollups)
    .values(values)
    .onConflictDoUpdate({ target: target(rollups), set: { n: sql.raw('excluded.n') } })
}

function insertSketches(db: Database, values: (typeof sketches.$inferInsert)[]) {
  return db
    .insert(sketches)
    .values(values)
    .onConflictDoUpdate({ target: target(sketches), set: { sketch: sql.raw('excluded.sketch') } })
}
