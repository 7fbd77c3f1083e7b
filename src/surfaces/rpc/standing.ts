import type { Ctx, SystemCtx, Viewer } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import type { AccountStatus } from '../../platform/security/access-guard.client.ts'
import { readHidden, readSuspension } from '../../services/accounts/queries.ts'

const FRESH_MS = 2_000 // as long as the status in a lease of the access guard
const MAX_REMEMBERED = 10_000
const activeUntil = new Map<Id, number>()

/** Over REST, a token proves that the account exists. A call only names it. Throws `suspended` or `unauthorized`. */
export async function requireStanding(ctx: SystemCtx, accountId: Id): Promise<void> {
  if ((activeUntil.get(accountId) ?? 0) > ctx.now()) return
  const isKnown = ctx.db.shards.includes(shardOf(accountId))
  if (!isKnown || (await readHidden(ctx, accountId))) throw await refusal(ctx, accountId, isKnown)
  if (activeUntil.size > MAX_REMEMBERED) activeUntil.clear()
  activeUntil.set(accountId, ctx.now() + FRESH_MS)
}

async function refusal(ctx: SystemCtx, accountId: Id, isKnown: boolean): Promise<Failure> {
  const isSuspended = isKnown && (await readSuspension(ctx, accountId)) !== null
  return isSuspended ? new Failure('suspended') : new Failure('unauthorized', 'The account does not exist any more')
}

/** For when the account's guard does not respond. */
export async function readStatus(ctx: Ctx, { id }: Viewer): Promise<AccountStatus> {
  return { suspended: (await readSuspension(ctx, id)) !== null, revokedBefore: 0, endedSessions: [] }
}
