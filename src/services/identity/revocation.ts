import { and, eq } from 'drizzle-orm'
import type { Ctx, SystemCtx, Viewer } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { AccountStatus } from '../../platform/security/access-guard.object.ts'
import { revokeTokensBefore } from '../../platform/security/revocation.ts'
import { readSuspension } from '../accounts/views.ts'
import { sessions, users } from './tables.ts'

/** Makes the access tokens useless that were issued before the directory said so, and the sockets that they opened. */
export async function revokeAllTokens(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const [user] = await ctx.db.directory
    .select({ tokensVoidBefore: users.tokensVoidBefore })
    .from(users)
    .where(eq(users.id, accountId))
  if (user) await revokeTokensBefore(ctx, accountId, user.tokensVoidBefore)
}

/** How an account stands when its limiter does not say: the same facts, from the primaries of where they are written first. */
export async function readAccountStatus(ctx: Ctx, { id, sessionId }: Viewer): Promise<AccountStatus> {
  const [login, suspendedAt] = await Promise.all([
    atPrimary(ctx)
      .directory.select({ notBefore: users.tokensVoidBefore })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, id))),
    readSuspension(ctx, id),
  ])
  const ended = login.length === 0 ? [sessionId] : []
  return { suspended: suspendedAt !== null, notBefore: login[0]?.notBefore ?? 0, endedSessions: ended }
}

/**
 * Ends the logins of an account that is suspended by now, for good: their access tokens stay void when it is lifted. What the
 * directory says of that is passed on in any case, since a try before this one may have been cut off.
 */
export async function endSessionsOfSuspended(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  if ((await readSuspension(ctx, accountId)) !== null) {
    const db = ctx.db.directory
    await db.batch([
      db.update(users).set({ tokensVoidBefore: ctx.now() }).where(eq(users.id, accountId)),
      db.delete(sessions).where(eq(sessions.userId, accountId)),
    ])
  }
  await revokeAllTokens(ctx, { accountId })
}
