import { eq, inArray } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Activity } from './activities.ts'
import { minuteOf } from './buckets.ts'
import { entriesOf } from './entries.ts'
import { type Entry, merged, type Tally, tallyOf, VIEW } from './fold.ts'
import { foldSlots } from './fold-slots.ts'
import { log } from './raw-log.ts'
import { slots } from './tables.ts'

/** An activity that arrives later is only logged, because its slot no longer knows what it has counted. */
export const SLOT_MS = 7 * DAY_MS
/** A slot is one row, and D1 allows rows of 2 MB. */
const FULL_SLOT = 200_000
const MAX_ATTEMPTS = 8

type Slot = typeof slots.$inferSelect

/** Logs and counts a batch of activities, each once however often it is delivered. Throws if some are not counted. */
export async function countActivities(ctx: SystemCtx, activities: readonly Activity[]): Promise<void> {
  const entries = await entriesOf(ctx, activities)
  if (entries.length === 0) return
  await log(ctx, entries)
  const late = entries.filter(({ at }) => at < ctx.now() - SLOT_MS)
  if (late.length > 0) ctx.log.warn('activities are too old to be counted', { count: late.length })
  let left = Map.groupBy(
    entries.filter((entry) => !late.includes(entry)),
    ({ at }) => minuteOf(at),
  )
  for (let attempt = 1; left.size > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) throw new Error('other batches change the same slots')
    left = await tryCount(ctx, left)
  }
  addPoints(ctx, entries)
}

/** Returns the entries of slots that another batch has changed meanwhile. */
async function tryCount(ctx: SystemCtx, wanted: Map<number, Entry[]>): Promise<Map<number, Entry[]>> {
  const db = ctx.db.analytics
  const rows = await db
    .select()
    .from(slots)
    .where(inArray(slots.minute, [...wanted.keys()]))
  const stored = new Map(rows.map((row) => [row.minute, row]))
  const changed = [...wanted].flatMap(([minute, entries]) => {
    const old = stored.get(minute) ?? emptySlot(minute)
    const next = withEntries(old, entries)
    return next ? [{ old, next }] : []
  })
  const [first, ...others] = changed.map(({ old, next: { minute, ...set } }) =>
    db
      .insert(slots)
      .values({ minute, ...set })
      .onConflictDoUpdate({ target: slots.minute, set, setWhere: eq(slots.version, old.version) })
      .returning({ minute: slots.minute }),
  )
  if (!first) return new Map()
  const written = new Set((await db.batch([first, ...others])).flat().map(({ minute }) => minute))
  const full = changed.filter(({ next }) => written.has(next.minute) && isFull(next)).map(({ next }) => next.minute)
  if (full.length > 0) await foldSlots(ctx, inArray(slots.minute, full))
  return new Map(
    [...wanted].filter(([minute]) => changed.some(({ next }) => next.minute === minute) && !written.has(minute)),
  )
}

const emptySlot = (minute: number): Slot => ({
  minute,
  version: 0,
  open: false,
  ids: [],
  site: {},
  counts: {},
  members: {},
})

/** Null if the slot has counted all entries already. */
function withEntries(slot: Slot, entries: readonly Entry[]): Slot | null {
  const known = new Set(slot.ids)
  const fresh = entries.filter(({ id, kind }) => kind === VIEW || (!known.has(id) && known.add(id)))
  const tally = merged([slot, ...fresh.map(tallyOf)])
  if (known.size === slot.ids.length && membersIn(tally) === membersIn(slot)) return null
  return { minute: slot.minute, version: slot.version + 1, open: true, ids: [...known], ...tally }
}

const membersIn = ({ members }: Tally) => Object.values(members).reduce((sum, { length }) => sum + length, 0)

const isFull = ({ counts, members }: Slot) => JSON.stringify([counts, members]).length > FULL_SLOT

/** A further copy for Analytics Engine, on which nothing depends: a point for each kind. */
function addPoints({ env, log: { warn } }: SystemCtx, entries: readonly Entry[]): void {
  try {
    for (const [kind, { length }] of Map.groupBy(entries, (entry) => entry.kind)) {
      env.ACTIVITY_POINTS.writeDataPoint({ indexes: [kind], blobs: [kind], doubles: [length] })
    }
  } catch (error) {
    warn('points were lost', { error })
  }
}
