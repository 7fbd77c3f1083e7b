import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { closeSockets } from '../realtime/realtime.ts'

// What an account's limiter says with every lease, and so wherever it asks next; and what its open sockets hear. All of it
// may be done again.

function limiterOf(ctx: SystemCtx, accountId: Id) {
  ctx.cost.objectCalls += 1
  return ctx.env.LIMITER.getByName(`user:${accountId}`)
}

/** Makes the access tokens and sockets of a login that has ended useless. */
export async function revokeSession(ctx: SystemCtx, ended: { accountId: Id; sessionId: string }): Promise<void> {
  await limiterOf(ctx, ended.accountId).endSession(ended.sessionId)
  await closeSockets(ctx, ended.accountId, 'logged out', { sessionId: ended.sessionId })
}

/** Makes the access tokens that were issued by `before` (epoch ms) useless, and the sockets that they opened. */
export async function revokeTokensBefore(ctx: SystemCtx, accountId: Id, before: number): Promise<void> {
  await limiterOf(ctx, accountId).voidTokensBefore(before)
  await closeSockets(ctx, accountId, 'logged out', { before })
}

/** Lets an account do nothing from now on, or everything again. */
export async function setSuspended(ctx: SystemCtx, accountId: Id, suspended: boolean): Promise<void> {
  await limiterOf(ctx, accountId).setSuspended(suspended)
  if (suspended) await closeSockets(ctx, accountId, 'suspended', { before: ctx.now() })
}
