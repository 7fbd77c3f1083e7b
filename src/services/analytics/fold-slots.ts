import { and, asc, eq, exists, inArray, lt, type SQL, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { failUnless, increment, one, query, refusals } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { MINUTE_MS, slotOf } from './buckets.ts'
import { countsIn, putCounts, putSketches, sketchesIn } from './cells.ts'
import { cellIn, merged, nameOf } from './fold.ts'
import { topAfter } from './fold-top-posts.ts'
import { Sketch } from './sketch.ts'
import { folds, slots, topPosts } from './tables.ts'

const SLOTS_PER_STEP = 70
/** Bounds the memory and the parameters of a step: the length of what it folds, as JSON. */
const TEXT_PER_STEP = 2_000_000
const MAX_ATTEMPTS = 5
/** Slots stay open for so long, because most late activities arrive by then. */
const OPEN_MS = 10 * MINUTE_MS

class Busy extends Error {}

/** Adds the counts of slots that are ten minutes old to the roll-ups. Charts add those of the others when they are read. */
export async function foldOldSlots(ctx: SystemCtx): Promise<void> {
  while (await foldSlots(ctx, lt(slots.slot, slotOf(ctx.now() - OPEN_MS))));
}

/** Folds some open slots in one batch, so that an interruption loses and repeats nothing. Returns whether there were any. */
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
  const [[folded = { version: 0 }], wanted] = await Promise.all([
    db.select({ version: folds.version }).from(folds),
    oldestOpen(db, which),
  ])
  if (wanted.length === 0) return false
  const rows = await db
    .select({ slot: slots.slot, version: slots.version, counts: slots.counts, members: slots.members })
    .from(slots)
    .where(and(isOpen, inArray(slots.slot, wanted)))
  const { counts, members } = merged(rows.map((row) => ({ ...row, site: {} })))
  const [sums, sets] = await Promise.all([addedCounts(db, counts), addedMembers(db, members)])
  const tops = await topAfter(db, sums, sets)
  const isUnchanged = (slot: number, version: number) => and(eq(slots.slot, slot), eq(slots.version, version))
  const checks = rows.map(({ slot, version }) =>
    failUnless(db, exists(query.select(one).from(slots).where(isUnchanged(slot, version))), 'busy'),
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
        .where(inArray(slots.slot, wanted)),
      ...putCounts(db, sums),
      ...putSketches(db, sets),
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

/** A literal, so that SQLite finds the partial index. */
export const isOpen = eq(slots.open, sql.raw('1'))

/** The oldest open slots that a step can fold, at least one. */
async function oldestOpen(db: Database, which?: SQL): Promise<number[]> {
  const length = sql.join([sql.raw('length('), slots.counts, sql.raw(') + length('), slots.members, sql.raw(')')])
  const rows = await db
    .select({ slot: slots.slot, length: length.mapWith(Number).as('text_length') })
    .from(slots)
    .where(and(isOpen, which))
    .orderBy(asc(slots.slot))
    .limit(SLOTS_PER_STEP)
  let sum = 0
  return rows.flatMap((row, i) => {
    sum += row.length
    return i === 0 || sum <= TEXT_PER_STEP ? [row.slot] : []
  })
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
