import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, SystemCtx, Viewer } from '../../platform/context.ts'
import { mirror } from '../../platform/events.ts'
import type { Id } from '../../platform/ids.ts'
import type { Standing } from '../../platform/rate-limiter.object.ts'
import { shutOutBefore } from '../../platform/standing.ts'
import { readSuspension } from '../accounts/views.ts'
import { sessions, users } from './tables.ts'

/** Makes the access tokens useless that were issued before the directory said so, and the sockets that they opened. */
export async function shutOutEverywhere(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const [user] = await ctx.db.directory
    .select({ tokensVoidBefore: users.tokensVoidBefore })
    .from(users)
    .where(eq(users.id, accountId))
  if (user) await shutOutBefore(ctx, accountId, user.tokensVoidBefore)
}

/** How an account stands when its limiter does not say: the same facts, from where they are written first. */
export async function readStanding(ctx: Ctx, { id, sessionId }: Viewer): Promise<Standing> {
  const [login, suspendedAt] = await Promise.all([
    ctx.db.directory
      .select({ notBefore: users.tokensVoidBefore })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, id))),
    readSuspension(ctx, id),
  ])
  const ended = login.length === 0 ? [sessionId] : []
  return { suspended: suspendedAt !== null, notBefore: login[0]?.notBefore ?? 0, endedSessions: ended }
}

/** Carries over to the directory what the account's shard says of its suspension, which ends its logins. */
export async function mirrorSuspension(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.directory
  await mirror(
    () => readSuspension(ctx, accountId),
    (suspendedAt) =>
      db.batch([
        db.update(users).set({ suspendedAt }).where(eq(users.id, accountId)),
        db.delete(sessions).where(and(eq(sessions.userId, accountId), sql`${suspendedAt} is not null`)),
      ]),
  )
}
