import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { closeSockets } from '../realtime/user-hub.client.ts'
import { accountGuard } from './access-guard.client.ts'
import { forgetStatus } from './rate-limit.ts'
import type { Rights } from './rights.ts'

// A revocation takes effect at once in this isolate, and within two seconds in others, when they renew their leases.
// Every function here is idempotent.

export async function revokeSessions(ctx: SystemCtx, accountId: Id, sessionIds: readonly string[]): Promise<void> {
  await accountGuard(ctx, accountId).endSession(...sessionIds)
  forgetStatus(accountId)
  await closeSockets(ctx, accountId, 'logged out', { sessionIds })
}

/** Revokes the access tokens issued at or before `before` (epoch ms), and closes the sockets that they opened. */
export async function revokeTokensBefore(ctx: SystemCtx, accountId: Id, before: number): Promise<void> {
  await accountGuard(ctx, accountId).revokeTokensBefore(before)
  forgetStatus(accountId)
  await closeSockets(ctx, accountId, 'logged out', { before })
}

export async function setRights(ctx: SystemCtx, accountId: Id, rights: Rights): Promise<void> {
  await accountGuard(ctx, accountId).setRights(rights)
  forgetStatus(accountId)
}

export async function setSuspended(ctx: SystemCtx, accountId: Id, suspended: boolean): Promise<void> {
  await accountGuard(ctx, accountId).setSuspended(suspended)
  forgetStatus(accountId)
  if (suspended) await closeSockets(ctx, accountId, 'suspended', { before: ctx.now() })
}
