import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { unavailable } from '../failures.ts'
import { closeSockets } from '../realtime/hub.client.ts'
import { accountGuard } from './access-guard.client.ts'
import { forgetStatus } from './account-status.ts'
import type { Rights } from './rights.ts'

const RETRY_AFTER_S = 5

// A revocation takes effect at once in this isolate, and within two seconds in others: the guard stores it and then
// announces it to the feed that they read. Every function here is idempotent, and throws `unavailable` if one of
// them does not answer: the database already has the change, and its event repeats the call.

/** Ends logins and single API keys; with `keysBefore` (epoch ms), also the keys created at or before that time. */
export function revokeSessions(
  ctx: SystemCtx,
  accountId: Id,
  sessionIds: readonly string[],
  keysBefore = 0,
): Promise<void> {
  const guard = accountGuard(ctx, accountId)
  const store = async () => {
    if (sessionIds.length > 0) await guard.endSession(...sessionIds)
    if (keysBefore > 0) await guard.revokeTokensBefore(0, keysBefore)
  }
  return revoke(ctx, accountId, store, () => closeSockets(ctx, accountId, 'logged out', { sessionIds, keysBefore }))
}

/** Revokes access tokens by when they were issued (epoch ms) and API keys by when they were created, and closes all sockets. */
export function revokeTokensBefore(ctx: SystemCtx, accountId: Id, before: number, keysBefore = 0): Promise<void> {
  const store = () => accountGuard(ctx, accountId).revokeTokensBefore(before, keysBefore)
  return revoke(ctx, accountId, store, () => closeSockets(ctx, accountId, 'logged out', { before, keysBefore }))
}

export function setRights(ctx: SystemCtx, accountId: Id, rights: Rights): Promise<void> {
  return revoke(ctx, accountId, () => accountGuard(ctx, accountId).setRights(rights))
}

/** For rights that were read some time ago: the guard keeps those that it has, which may be newer. */
export function fillRights(ctx: SystemCtx, accountId: Id, rights: Rights): Promise<void> {
  return revoke(ctx, accountId, () => accountGuard(ctx, accountId).fillRights(rights))
}

export function setSuspended(ctx: SystemCtx, accountId: Id, suspended: boolean): Promise<void> {
  const now = ctx.now()
  const close = () => closeSockets(ctx, accountId, 'suspended', { before: now, keysBefore: now })
  return revoke(
    ctx,
    accountId,
    () => accountGuard(ctx, accountId).setSuspended(suspended),
    suspended ? close : undefined,
  )
}

/** Closes the sockets even if the guard does not answer. */
function revoke(
  ctx: SystemCtx,
  accountId: Id,
  store: () => Promise<unknown>,
  close: () => Promise<void> = async () => {},
): Promise<void> {
  const work = async () => {
    try {
      await store()
    } finally {
      forgetStatus(ctx, accountId)
      await close()
    }
  }
  return work().catch((error: unknown) => {
    ctx.log.warn('a revocation is left to its event', { accountId, error })
    throw unavailable(RETRY_AFTER_S)
  })
}
