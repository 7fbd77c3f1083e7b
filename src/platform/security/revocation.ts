import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { closeSockets } from '../realtime/user-hub.client.ts'
import { accountGuard } from './access-guard.client.ts'

// A revocation takes effect when isolates renew their leases, within two seconds. Every function here is idempotent.

export async function revokeSession(ctx: SystemCtx, ended: { accountId: Id; sessionId: string }): Promise<void> {
  await accountGuard(ctx, ended.accountId).endSession(ended.sessionId)
  await closeSockets(ctx, ended.accountId, 'logged out', { sessionId: ended.sessionId })
}

/** Revokes the access tokens issued at or before `before` (epoch ms), and closes the sockets that they opened. */
export async function revokeTokensBefore(ctx: SystemCtx, accountId: Id, before: number): Promise<void> {
  await accountGuard(ctx, accountId).revokeTokensBefore(before)
  await closeSockets(ctx, accountId, 'logged out', { before })
}

export async function setSuspended(ctx: SystemCtx, accountId: Id, suspended: boolean): Promise<void> {
  await accountGuard(ctx, accountId).setSuspended(suspended)
  if (suspended) await closeSockets(ctx, accountId, 'suspended', { before: ctx.now() })
}
