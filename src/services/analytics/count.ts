import { asc, between, eq, inArray, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Activity } from './activities.ts'
import { minuteIn, minuteOf, PARTS } from './buckets.ts'
import { entriesOf, isSeen } from './entries.ts'
import { merged, type Tally } from './fold.ts'
import { foldSlots } from './fold-slots.ts'
import { type Hashed, hashed } from './people.ts'
import { log } from './raw-log.ts'
import { folds, slots } from './tables.ts'

/** An activity that arrives later is dropped, because its slot no longer knows what it has counted. */
export const SLOT_MS = 7 * DAY_MS
/** D1 allows rows of 2 MB. A slot that exceeds this is folded before it is written again. */
const FULL_SLOT = 200_000
/** So many views add at most 150 kB to a slot. */
const ENTRIES_PER_WRITE = 200
/** So many ids take 500 kB. */
export const IDS_PER_SLOT = 30_000
/** Of the 1,000 that an invocation may make. */
const MOST_QUERIES = 800
/** D1 accepts a hundred parameters in each. */
const MINUTES_PER_QUERY = 50
const MINUTES_PER_BATCH = 100
const MAX_ATTEMPTS = 8

type Slot = typeof slots.$inferSelect

/** Logs and counts a batch of activities, each once however often it is delivered. Throws if some are not counted. */
export async function countActivities(ctx: SystemCtx, activities: readonly Activity[]): Promise<void> {
  await ctx.db.analytics.select({ version: folds.version }).from(folds) // nothing is logged again and again while it is down
  const [now, later] = share(ctx, activities)
  await countNow(ctx, now)
  const acts = later.filter((each) => !isSeen(each))
  const messages = [...later.filter(isSeen), ...(acts.length > 0 ? [acts] : [])]
  if (messages.length > 0) await ctx.env.ACTIVITY.sendBatch(messages.map((body) => ({ body })))
}

/**
 * What a reader may see is read with two queries from each shard, and each minute is written with one. The reports of
 * further readers, and the acts of further minutes, wait for another batch.
 */
function share({ db }: SystemCtx, activities: readonly Activity[]): [now: Activity[], later: Activity[]] {
  const viewers = new Set(activities.flatMap((each) => (isSeen(each) ? [each.viewer] : [])))
  const first = new Set(viewers.keys().take(Math.max(1, Math.floor(MOST_QUERIES / (2 * db.shards.length)))))
  const minutes = new Set(activities.flatMap((each) => (isSeen(each) ? [] : [minuteOf(each.at)])))
  const written = new Set(minutes.keys().take(MINUTES_PER_BATCH))
  const isNow = (each: Activity) => (isSeen(each) ? first.has(each.viewer) : written.has(minuteOf(each.at)))
  return [activities.filter(isNow), activities.filter((each) => !isNow(each))]
}

async function countNow(ctx: SystemCtx, activities: readonly Activity[]): Promise<void> {
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
  const rows = (await Promise.all(inParts([...wanted.keys()], (minutes) => slotsOf(db, minutes)))).flat()
  const stored = Map.groupBy(rows, ({ slot }) => minuteIn(slot))
  const changed = [...wanted].flatMap(([minute, activities]) => {
    const written = stored.get(minute) ?? []
    const old = partToFill(minute, written)
    const known = new Set(written.flatMap(({ ids }) => ids))
    const next = withActivities(old, known, activities)
    return next ? [{ old, next }] : []
  })
  const [first, ...others] = changed.map(({ old, next: { slot, open, ...set } }) =>
    db
      .insert(slots)
      .values({ slot, open, ...set })
      // Writing `open` writes its index, too.
      .onConflictDoUpdate({
        target: slots.slot,
        set: old.open ? set : { open, ...set },
        setWhere: eq(slots.version, old.version),
      })
      .returning({ slot: slots.slot }),
  )
  if (!first) return new Map()
  const written = new Set((await db.batch([first, ...others])).flat().map(({ slot }) => slot))
  const full = changed.filter(({ next }) => written.has(next.slot) && isFull(next)).map(({ next }) => next.slot)
  if (full.length > 0) await foldSlots(ctx, inArray(slots.slot, full))
  const lost = changed.flatMap(({ next }) => (written.has(next.slot) ? [] : [minuteIn(next.slot)]))
  return new Map([...wanted].filter(([minute]) => lost.includes(minute)))
}

function inParts<T>(minutes: readonly number[], read: (part: number[]) => T): T[] {
  const starts = Array.from({ length: Math.ceil(minutes.length / MINUTES_PER_QUERY) }, (_, i) => i * MINUTES_PER_QUERY)
  return starts.map((start) => read(minutes.slice(start, start + MINUTES_PER_QUERY)))
}

function slotsOf(db: Database, minutes: readonly number[]) {
  const parts = minutes.map((minute) => between(slots.slot, minute * PARTS, minute * PARTS + PARTS - 1))
  return db
    .select()
    .from(slots)
    .where(or(...parts))
    .orderBy(asc(slots.slot))
}

const emptySlot = (slot: number): Slot => ({
  slot,
  version: 0,
  open: false,
  ids: [],
  site: {},
  counts: {},
  members: {},
})

/** The last part of a minute, or a new one if that has many ids. */
function partToFill(minute: number, written: readonly Slot[]): Slot {
  const last = written.at(-1) ?? emptySlot(minute * PARTS)
  const isDone = last.ids.length >= IDS_PER_SLOT && written.length < PARTS
  return isDone ? emptySlot(last.slot + 1) : last
}

/** `known`: the ids of all parts of the minute. */
function withActivities(slot: Slot, known: ReadonlySet<string>, activities: readonly Hashed[]): Slot | null {
  const added = new Set<string>()
  const fresh = activities.filter(({ id }) => id === null || (!known.has(id) && !added.has(id) && added.add(id)))
  const tally = merged([slot, ...fresh.map((activity) => activity.tally)])
  if (added.size === 0 && membersIn(tally) === membersIn(slot)) return null
  return { slot: slot.slot, version: slot.version + 1, open: true, ids: [...slot.ids, ...added], ...tally }
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
