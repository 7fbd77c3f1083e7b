import type { Ctx, SystemCtx, Viewer } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import type { AccountStatus } from '../../platform/security/access-guard.client.ts'
import { readHidden, readSuspension } from '../../services/accounts/queries.ts'

const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 10_000
const seen = new Map<Id, number>()

/**
 * When (epoch ms) the account was last read and was active. It is like the time of a token: the access guard refuses the
 * account if anything was revoked since, for example because it was deleted. Throws `suspended` or `unauthorized`.
 */
export async function activeSince(ctx: SystemCtx, accountId: Id): Promise<number> {
  const now = ctx.now()
  const known = seen.get(accountId) ?? 0
  if (known > now - REMEMBERED_MS) return known
  const isKnown = ctx.db.shards.includes(shardOf(accountId))
  if (!isKnown || (await readHidden(ctx, accountId))) throw await refusal(ctx, accountId, isKnown)
  if (seen.size > MAX_REMEMBERED) seen.clear()
  seen.set(accountId, now)
  return now
}

/** Returns false if the account is not remembered. */
export function forgetActive(accountId: Id | undefined): boolean {
  return accountId !== undefined && seen.delete(accountId)
}

async function refusal(ctx: SystemCtx, accountId: Id, isKnown: boolean): Promise<Failure> {
  const isSuspended = isKnown && (await readSuspension(ctx, accountId)) !== null
  return isSuspended ? new Failure('suspended') : new Failure('unauthorized', 'The account does not exist any more')
}

/** For when the account's guard does not respond. */
export async function readStatus(ctx: Ctx, { id, sessionId }: Viewer): Promise<AccountStatus> {
  const isHidden = await readHidden(ctx, id)
  const suspended = isHidden && (await readSuspension(ctx, id)) !== null
  return { suspended, revokedBefore: 0, endedSessions: isHidden ? [sessionId] : [] }
}
