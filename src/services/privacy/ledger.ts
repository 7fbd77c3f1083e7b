import { and, isNotNull, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { deletions, erasedAccounts } from './tables.ts'

// The ledger names the accounts that were erased. It is in R2, which keeps no backups, so restoring a database cannot
// bring back an older one. The directory and each shard have a copy. If an entry is missing there, the database was
// restored to a time before the erasure, is newer than it, or the erasure still runs.

const PREFIX = 'erased/'
/** Longer than the 30 days that D1 can restore. */
const LEDGER_DAYS = 90

export async function enterLedger(ctx: SystemCtx, accountId: Id): Promise<void> {
  await ctx.env.KEYS.put(`${PREFIX}${accountId}`, '')
}

export async function copyEntry(ctx: SystemCtx, accountId: Id): Promise<void> {
  const row = { accountId, erasedAt: ctx.now() }
  await mapConcurrently(databasesOf(ctx), (db) => db.insert(erasedAccounts).values(row).onConflictDoNothing())
}

/** Erases again what a restored database has brought back, and deletes entries that are older than every backup. */
export async function replayLedger(ctx: SystemCtx): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await ctx.env.KEYS.list({ prefix: PREFIX, cursor })
    const isOld = ({ uploaded }: R2Object) => uploaded.getTime() < ctx.now() - LEDGER_DAYS * DAY_MS
    await eraseAgain(
      ctx,
      page.objects.filter((entry) => !isOld(entry)),
    )
    await forget(ctx, page.objects.filter(isOld))
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor !== undefined)
}

async function eraseAgain(ctx: SystemCtx, entries: R2Object[]): Promise<void> {
  if (entries.length === 0) return
  // Read before the copies: an erasure that ends in between has its copies by then.
  const running = await runningAmong(ctx, idsOf(entries))
  const restored = await mapConcurrently(databasesOf(ctx), async (db) => restoredIn(db, entries))
  const now = ctx.now()
  for (const accountId of new Set(restored.flat()).difference(running)) {
    ctx.log.warn('an erased account is erased again', { accountId })
    const due = { accountId, requestedAt: now, eraseAt: now, startedAt: now }
    await ctx.db.directory
      .insert(deletions)
      .values(due)
      .onConflictDoUpdate({ target: deletions.accountId, set: { eraseAt: now, startedAt: now } })
  }
}

async function runningAmong(ctx: SystemCtx, ids: Id[]): Promise<Set<Id>> {
  const rows = await ctx.db.directory
    .select({ id: deletions.accountId })
    .from(deletions)
    .where(and(idIn(deletions.accountId, ids), isNotNull(deletions.startedAt)))
  return new Set(rows.map(({ id }) => id))
}

/** The accounts whose entries the database lacks although it is older than they are. */
async function restoredIn(db: Database, entries: R2Object[]): Promise<Id[]> {
  const rows = await db
    .select({ id: erasedAccounts.accountId })
    .from(erasedAccounts)
    .where(isOneOf(idsOf(entries)))
  const copied = new Set(rows.map(({ id }) => id))
  const isMissing = (entry: R2Object) => idsOf([entry]).some((id) => !copied.has(id))
  const missing = entries.filter(isMissing)
  if (missing.length === 0) return []
  const createdAt = await creationOf(db)
  return idsOf(missing.filter(({ uploaded }) => uploaded.getTime() >= createdAt))
}

/** When the first migration was applied. A restore keeps this time. */
async function creationOf(db: Database): Promise<number> {
  const [first] = await db.all<{ at: number }>(sql`select min(unixepoch(applied_at)) * 1000 as at from d1_migrations`)
  return first?.at ?? 0
}

async function forget(ctx: SystemCtx, entries: R2Object[]): Promise<void> {
  if (entries.length === 0) return
  const ids = idsOf(entries)
  await mapConcurrently(databasesOf(ctx), (db) => db.delete(erasedAccounts).where(isOneOf(ids)))
  await ctx.env.KEYS.delete(entries.map(({ key }) => key))
}

const idsOf = (entries: R2Object[]): Id[] =>
  entries.flatMap(({ key }) => Id.safeParse(key.slice(PREFIX.length)).data ?? [])

const isOneOf = (ids: Id[]) => idIn(erasedAccounts.accountId, ids)

function databasesOf({ db }: SystemCtx): Database[] {
  return [db.directory, ...db.shards.map(db.shard)]
}
