import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { closeSockets } from '../realtime/hub.client.ts'
import { accountGuard } from './access-guard.client.ts'
import { forgetStatus } from './account-status.ts'
import type { Rights } from './rights.ts'

// A revocation takes effect at once in this isolate, and within two seconds in others: the guard stores it and then
// announces it to the feed that they read. Every function here is idempotent.

/** Ends logins and single API keys; with `keysBefore` (epoch ms), also the keys created at or before that time. */
export async function revokeSessions(
  ctx: SystemCtx,
  accountId: Id,
  sessionIds: readonly string[],
  keysBefore = 0,
): Promise<void> {
  const guard = accountGuard(ctx, accountId)
  try {
    if (sessionIds.length > 0) await guard.endSession(...sessionIds)
    if (keysBefore > 0) await guard.revokeTokensBefore(0, keysBefore)
  } finally {
    forgetStatus(ctx, accountId)
    await closeSockets(ctx, accountId, 'logged out', { sessionIds, keysBefore })
  }
}

/** Revokes access tokens by when they were issued (epoch ms) and API keys by when they were created, and closes all sockets. */
export async function revokeTokensBefore(ctx: SystemCtx, accountId: Id, before: number, keysBefore = 0): Promise<void> {
  try {
    await accountGuard(ctx, accountId).revokeTokensBefore(before, keysBefore)
  } finally {
    forgetStatus(ctx, accountId)
    await closeSockets(ctx, accountId, 'logged out', { before, keysBefore })
  }
}

export async function setRights(ctx: SystemCtx, accountId: Id, rights: Rights): Promise<void> {
  await accountGuard(ctx, accountId).setRights(rights)
  forgetStatus(ctx, accountId)
}

/** For rights that were read some time ago: the guard keeps those that it has, which may be newer. */
export async function fillRights(ctx: SystemCtx, accountId: Id, rights: Rights): Promise<void> {
  await accountGuard(ctx, accountId).fillRights(rights)
  forgetStatus(ctx, accountId)
}

export async function setSuspended(ctx: SystemCtx, accountId: Id, suspended: boolean): Promise<void> {
  const now = ctx.now()
  try {
    await accountGuard(ctx, accountId).setSuspended(suspended)
  } finally {
    forgetStatus(ctx, accountId)
    if (suspended) await closeSockets(ctx, accountId, 'suspended', { before: now, keysBefore: now })
  }
}
