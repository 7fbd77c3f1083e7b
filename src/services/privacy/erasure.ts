import { and, eq, isNull, lte } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { changed, either } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { destroyKeys } from '../../platform/security/account-keys.ts'
import { accountErased } from './events.ts'
import { copyEntry, enterLedger } from './ledger.ts'
import { deletions } from './tables.ts'

/** How a service erases its data of an account. `erase` is a bounded, idempotent step that returns true when nothing is left. */
export type Part = { service: string; erase: (ctx: SystemCtx, accountId: Id) => Promise<boolean> }

/** Bounds the calls that a step of the Workflow makes, and what it repeats if it is interrupted. */
const CALLS_PER_STEP = 20

/** After this, no login can cancel the deletion. Returns false if one has. Writes the ledger before anything is erased. */
export async function beginErasure(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const now = ctx.now()
  const begun = await ctx.db.directory
    .update(deletions)
    .set({ startedAt: either(isNull(deletions.startedAt), now, deletions.startedAt), progressedAt: now })
    .where(and(eq(deletions.accountId, accountId), lte(deletions.eraseAt, now)))
    .returning({ id: deletions.accountId })
  if (begun.length === 0) return false
  await enterLedger(ctx, accountId)
  return true
}

/** Returns true when nothing is left. */
export async function erasePart(ctx: SystemCtx, accountId: Id, { erase }: Part): Promise<boolean> {
  let isDone = false
  for (let call = 0; call < CALLS_PER_STEP && !isDone; call++) isDone = await erase(ctx, accountId)
  await ctx.db.directory.update(deletions).set({ progressedAt: ctx.now() }).where(eq(deletions.accountId, accountId))
  return isDone
}

/** The key comes last: until then, an interrupted erasure can still read what it must erase. */
export async function finishErasure(ctx: SystemCtx, accountId: Id): Promise<void> {
  await destroyKeys(ctx, [accountId])
  await copyEntry(ctx, accountId)
  const db = ctx.db.directory
  await db.commit([
    db.delete(deletions).where(eq(deletions.accountId, accountId)),
    record(db, accountErased, { accountId }, changed),
  ])
}
