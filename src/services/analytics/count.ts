import { eq, inArray } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Activity } from './activities.ts'
import { minuteOf } from './buckets.ts'
import { entriesOf } from './entries.ts'
import { merged, type Tally } from './fold.ts'
import { foldSlots } from './fold-slots.ts'
import { type Hashed, hashed } from './people.ts'
import { log } from './raw-log.ts'
import { slots } from './tables.ts'

/** An activity that arrives later is dropped, because its slot no longer knows what it has counted. */
export const SLOT_MS = 7 * DAY_MS
/** D1 allows rows of 2 MB. A slot that exceeds this is folded before it is written again. */
const FULL_SLOT = 200_000
/** So many views add at most 75 kB to a slot, and are of at most a hundred minutes: D1 accepts no more parameters. */
const ENTRIES_PER_WRITE = 100
const MAX_ATTEMPTS = 8

type Slot = typeof slots.$inferSelect

/** Logs and counts a batch of activities, each once however often it is delivered. Throws if some are not counted. */
export async function countActivities(ctx: SystemCtx, activities: readonly Activity[]): Promise<void> {
  const fresh = activities.filter(({ at }) => at >= ctx.now() - SLOT_MS)
  const late = activities.length - fresh.length
  if (late > 0) ctx.log.warn('activities are too old to be counted', { count: late })
  const found = await hashed(ctx, await entriesOf(ctx, fresh))
  if (found.length === 0) return
  await log(ctx, found)
  for (let at = 0; at < found.length; at += ENTRIES_PER_WRITE) {
    await countSome(ctx, found.slice(at, at + ENTRIES_PER_WRITE))
  }
  addPoints(ctx, found)
}

async function countSome(ctx: SystemCtx, some: readonly Hashed[]): Promise<void> {
  let left = Map.groupBy(some, ({ at }) => minuteOf(at))
  for (let attempt = 1; left.size > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) throw new Error('other batches change the same slots')
    left = await tryCount(ctx, left)
  }
}

/** Returns what belongs to slots that another batch has changed meanwhile. */
async function tryCount(ctx: SystemCtx, wanted: Map<number, Hashed[]>): Promise<Map<number, Hashed[]>> {
  const db = ctx.db.analytics
  const stored = new Map<number, Slot>()
  for (const row of await db
    .select()
    .from(slots)
    .where(inArray(slots.minute, [...wanted.keys()])))
    stored.set(row.minute, row)
  const changed = [...wanted].flatMap(([minute, activities]) => {
    const old = stored.get(minute) ?? emptySlot(minute)
    const next = withActivities(old, activities)
    return next ? [{ old, next }] : []
  })
  const [first, ...others] = changed.map(({ old, next: { minute, open, ...set } }) =>
    db
      .insert(slots)
      .values({ minute, open, ...set })
      // Writing `open` writes its index, too.
      .onConflictDoUpdate({
        target: slots.minute,
        set: old.open ? set : { open, ...set },
        setWhere: eq(slots.version, old.version),
      })
      .returning({ minute: slots.minute }),
  )
  if (!first) return new Map()
  const written = new Set((await db.batch([first, ...others])).flat().map(({ minute }) => minute))
  const full = changed.filter(({ next }) => written.has(next.minute) && isFull(next)).map(({ next }) => next.minute)
  if (full.length > 0) await foldSlots(ctx, inArray(slots.minute, full))
  const lost = changed.flatMap(({ next }) => (written.has(next.minute) ? [] : [next.minute]))
  return new Map([...wanted].filter(([minute]) => lost.includes(minute)))
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

function withActivities(slot: Slot, activities: readonly Hashed[]): Slot | null {
  const known = new Set(slot.ids)
  const fresh = activities.filter(({ id }) => id === null || (!known.has(id) && known.add(id)))
  const tally = merged([slot, ...fresh.map((activity) => activity.tally)])
  if (known.size === slot.ids.length && membersIn(tally) === membersIn(slot)) return null
  return { minute: slot.minute, version: slot.version + 1, open: true, ids: [...known], ...tally }
}

const membersIn = ({ members }: Tally) => Object.values(members).reduce((sum, { length }) => sum + length, 0)

const isFull = ({ counts, members }: Slot) => JSON.stringify([counts, members]).length > FULL_SLOT

/** A further copy for Analytics Engine, on which nothing depends: a point for each kind. */
function addPoints({ env, log: { warn } }: SystemCtx, activities: readonly Hashed[]): void {
  try {
    for (const [kind, { length }] of Map.groupBy(activities, (activity) => activity.kind)) {
      env.ACTIVITY_POINTS.writeDataPoint({ indexes: [kind], blobs: [kind], doubles: [length] })
    }
  } catch (error) {
    warn('points were lost', { error })
  }
}
