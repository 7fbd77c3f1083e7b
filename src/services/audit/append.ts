import { desc, eq, inArray, lt, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { violates } from '../../platform/data/conditions.ts'
import { atPrimary, type Database, type Databases } from '../../platform/data/databases.ts'
import { type Id, idOf, timeOf } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { chainOf, emptyHead, type Head, hashOf } from './chain.ts'
import type { Act } from './events.ts'
import { type AuditHead, type AuditRow, auditEntries, auditHeads } from './tables.ts'

const MAX_ATTEMPTS = 30

export type NewEntry = Act & { action: string; eventId: Id; detail?: string | null }

type Waiting = { entry: NewEntry; resolve: () => void; reject: (error: unknown) => void }
const waiting = new WeakMap<Databases, Waiting[]>()

/** Appends the entry once, however often it is called. Entries of one queue batch are appended in the same trips. */
export function append(ctx: SystemCtx, entry: NewEntry): Promise<void> {
  return new Promise((resolve, reject) => {
    const group = waiting.get(ctx.db) ?? []
    waiting.set(ctx.db, group)
    if (group.push({ entry, resolve, reject }) === 1) void flush(ctx)
  })
}

async function flush(ctx: SystemCtx): Promise<void> {
  await null
  const group = waiting.get(ctx.db) ?? []
  waiting.delete(ctx.db)
  await appendAll(
    ctx,
    group.map(({ entry }) => entry),
  ).then(
    () => group.forEach(({ resolve }) => void resolve()),
    (error: unknown) => group.forEach(({ reject }) => void reject(error)),
  )
}

async function appendAll(ctx: SystemCtx, entries: readonly NewEntry[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryAppend(ctx, entries)
    } catch (error) {
      const isTaken = [auditEntries.seq, auditEntries.id, auditEntries.eventId].some((key) => violates(error, key))
      if (!isTaken || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

async function tryAppend(ctx: SystemCtx, entries: readonly NewEntry[]): Promise<void> {
  const { audit, directory } = atPrimary(ctx)
  const chains = [...new Set(entries.map(chainOfEntry))]
  const [kept, lasts, known] = await Promise.all([
    directory.select().from(auditHeads).where(inArray(auditHeads.chain, chains)),
    Promise.all(chains.map((chain) => lastOf(audit, chain))),
    audit
      .select({ eventId: auditEntries.eventId, action: auditEntries.action })
      .from(auditEntries)
      .where(isOf(entries)),
  ])
  const heads = new Map(chains.map((chain) => [chain, emptyHead]))
  // If the log is behind its head, it lost entries: continue after the head, so that the gap stays visible.
  for (const head of [...kept, ...lasts.flat()]) {
    if (head.seq > (heads.get(head.chain)?.seq ?? 0)) heads.set(head.chain, head)
  }
  const rows = await linked(ctx, heads, unknown(entries, known))
  const [first, ...others] = rows.map((row) => audit.insert(auditEntries).values(row))
  if (first) await audit.batch([first, ...others])
  await keepHeads(directory, kept, heads)
}

const chainOfEntry = ({ accountId, actorId }: NewEntry) => chainOf(accountId ?? actorId ?? null)
const keyOf = ({ eventId, action }: Pick<NewEntry, 'eventId' | 'action'>) => `${eventId} ${action}`

function isOf(entries: readonly NewEntry[]): SQL {
  return idIn(
    auditEntries.eventId,
    entries.map(({ eventId }) => eventId),
  )
}

function lastOf(audit: Database, chain: number) {
  return audit
    .select({ chain: auditEntries.chain, seq: auditEntries.seq, hash: auditEntries.hash })
    .from(auditEntries)
    .where(eq(auditEntries.chain, chain))
    .orderBy(desc(auditEntries.seq))
    .limit(1)
}

function unknown(entries: readonly NewEntry[], known: readonly Pick<NewEntry, 'eventId' | 'action'>[]): NewEntry[] {
  const wanted = new Map(entries.map((entry) => [keyOf(entry), entry]))
  for (const entry of known) wanted.delete(keyOf(entry))
  return [...wanted.values()]
}

/** The rows of the entries, each linked to the one before it. Moves `heads` to the last ones. */
async function linked(ctx: SystemCtx, heads: Map<number, Head>, entries: readonly NewEntry[]): Promise<AuditRow[]> {
  const rows: AuditRow[] = []
  const [start = 0] = crypto.getRandomValues(new Uint16Array(1))
  for (const entry of entries) {
    const { eventId, action, accountId, actorId = null, client = null, detail = null } = entry
    const [chain, at] = [chainOfEntry(entry), timeOf(eventId)]
    const { seq, hash: previous } = heads.get(chain) ?? emptyHead
    const id = idOf(chain, at, start + seq) // distinct for the entries of a group
    const unsigned = { id, chain, seq: seq + 1, at, action, accountId, actorId, client, detail, eventId, previous }
    const row = { ...unsigned, hash: await hashOf(ctx.config, unsigned) }
    heads.set(chain, row)
    rows.push(row)
  }
  return rows
}

/** Never moves a head back. Also repairs a head that an interrupted append left behind. */
async function keepHeads(directory: Database, kept: readonly AuditHead[], heads: Map<number, Head>): Promise<void> {
  const moved = [...heads].filter(([chain, { seq }]) => seq > (kept.find((head) => head.chain === chain)?.seq ?? 0))
  const [first, ...others] = moved.map(([chain, { seq, hash }]) =>
    directory
      .insert(auditHeads)
      .values({ chain, seq, hash })
      .onConflictDoUpdate({ target: auditHeads.chain, set: { seq, hash }, setWhere: lt(auditHeads.seq, seq) }),
  )
  if (first) await directory.batch([first, ...others])
}
