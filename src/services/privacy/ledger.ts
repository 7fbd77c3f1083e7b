import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { deletions, erasedAccounts } from './tables.ts'

// The ledger names the accounts that were erased. It is in R2, which keeps no backups, so restoring a database cannot
// bring back an older one. Each database has a copy: one that lacks an entry was restored to a time before the erasure.

const PREFIX = 'erased/'
/** D1 restores the last 30 days. */
const LEDGER_DAYS = 90

export async function enterLedger(ctx: SystemCtx, accountId: Id): Promise<void> {
  await ctx.env.KEYS.put(`${PREFIX}${accountId}`, '')
}

export async function copyEntry(ctx: SystemCtx, accountId: Id): Promise<void> {
  const row = { accountId, erasedAt: ctx.now() }
  await mapConcurrently(databasesOf(ctx), (db) => db.insert(erasedAccounts).values(row).onConflictDoNothing())
}

/** Erases again what a restored database has brought back, and forgets entries that no backup precedes any more. */
export async function replayLedger(ctx: SystemCtx): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await ctx.env.KEYS.list({ prefix: PREFIX, cursor })
    const isOld = ({ uploaded }: R2Object) => uploaded.getTime() < ctx.now() - LEDGER_DAYS * DAY_MS
    await eraseAgain(ctx, idsOf(page.objects.filter((entry) => !isOld(entry))))
    await forget(ctx, page.objects.filter(isOld))
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor !== undefined)
}

async function eraseAgain(ctx: SystemCtx, ids: Id[]): Promise<void> {
  if (ids.length === 0) return
  const restored = await mapConcurrently(databasesOf(ctx), async (db) => {
    const rows = await db.select({ id: erasedAccounts.accountId }).from(erasedAccounts).where(isOneOf(ids))
    const copied = new Set(rows.map(({ id }) => id))
    return ids.filter((id) => !copied.has(id))
  })
  const now = ctx.now()
  for (const accountId of new Set(restored.flat())) {
    ctx.log.warn('an erased account is erased again', { accountId })
    const due = { accountId, requestedAt: now, eraseAt: now, startedAt: now }
    await ctx.db.directory
      .insert(deletions)
      .values(due)
      .onConflictDoUpdate({ target: deletions.accountId, set: { eraseAt: now, startedAt: now } })
  }
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
