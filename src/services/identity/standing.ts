import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/db.ts'
import { mirror } from '../../platform/events.ts'
import type { Id } from '../../platform/ids.ts'
import { closeSockets } from '../../platform/realtime.ts'
import { accounts } from '../accounts/tables.ts'
import { sessions, users } from './tables.ts'

// What the limiter says of an account with every lease, and so wherever it asks next. All of it may be done again.

function limiterOf(ctx: SystemCtx, accountId: Id) {
  ctx.cost.objectCalls += 1
  return ctx.env.LIMITER.getByName(`user:${accountId}`)
}

/** Makes the access tokens and sockets of a login that has ended useless. */
export async function shutOutSession(ctx: SystemCtx, ended: { accountId: Id; sessionId: string }): Promise<void> {
  await limiterOf(ctx, ended.accountId).endSession(ended.sessionId)
  await closeSockets(ctx, ended.accountId, 'logged out', ended.sessionId)
}

/** The same for all logins of an account. */
export async function shutOutEverywhere(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await voidTokens(ctx, { accountId })
  await closeSockets(ctx, accountId, 'logged out')
}

/** Makes the access tokens useless that were issued before the directory said so. */
export async function voidTokens(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const [user] = await ctx.db.directory
    .select({ tokensVoidBefore: users.tokensVoidBefore })
    .from(users)
    .where(eq(users.id, accountId))
  if (user) await limiterOf(ctx, accountId).voidTokensBefore(user.tokensVoidBefore)
}

/** Carries over what the account's shard says of its suspension: to the limiter, the logins and the sockets. */
export async function mirrorSuspension(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await mirror(
    () => readSuspension(ctx, accountId),
    (suspendedAt) => writeSuspension(ctx, accountId, suspendedAt),
  )
}

async function readSuspension(ctx: SystemCtx, accountId: Id): Promise<number | null> {
  const [account] = await atPrimary(ctx)
    .shardOf(accountId)
    .select({ suspendedAt: accounts.suspendedAt })
    .from(accounts)
    .where(eq(accounts.id, accountId))
  return account?.suspendedAt ?? null
}

async function writeSuspension(ctx: SystemCtx, accountId: Id, suspendedAt: number | null): Promise<void> {
  const db = ctx.db.directory
  await limiterOf(ctx, accountId).setSuspended(suspendedAt !== null)
  const marked = db.update(users).set({ suspendedAt }).where(eq(users.id, accountId))
  if (suspendedAt === null) return void (await marked)
  await db.batch([marked, db.delete(sessions).where(eq(sessions.userId, accountId))])
  await closeSockets(ctx, accountId, 'suspended')
}
