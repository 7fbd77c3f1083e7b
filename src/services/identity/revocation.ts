import { and, eq, lte } from 'drizzle-orm'
import type { Ctx, SystemCtx, Viewer } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import type { AccountStatus } from '../../platform/security/access-guard.client.ts'
import { isApiKey } from '../../platform/security/key-logins.ts'
import { revokeTokensBefore } from '../../platform/security/revocation.ts'
import { readSuspension } from '../accounts/queries.ts'
import { readApiKeys } from '../api-keys/queries.ts'
import { deleteApiKeys } from '../api-keys/statements.ts'
import { deleteGrants } from '../apps/statements.ts'
import { atLeast } from './statements.ts'
import { sessions, users } from './tables.ts'

export async function revokeAllTokens(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const [user] = await ctx.db.directory
    .select({ tokensVoidBefore: users.tokensVoidBefore, keysVoidBefore: users.keysVoidBefore })
    .from(users)
    .where(eq(users.id, accountId))
  if (user) await revokeTokensBefore(ctx, accountId, user.tokensVoidBefore, user.keysVoidBefore)
}

/** For when the account's guard does not respond: reads from the primaries what the guard would report. */
export async function readAccountStatus(ctx: Ctx, viewer: Pick<Viewer, 'id' | 'sessionId'>): Promise<AccountStatus> {
  const { id, sessionId } = viewer
  if (isApiKey(viewer)) return readKeyStatus(ctx, id)
  const [login, suspendedAt] = await Promise.all([
    atPrimary(ctx)
      .directory.select({ revokedBefore: users.tokensVoidBefore })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, id))),
    readSuspension(ctx, id),
  ])
  const ended = login.length === 0 ? [sessionId] : []
  return { suspended: suspendedAt !== null, revokedBefore: login[0]?.revokedBefore ?? 0, endedSessions: ended }
}

async function readKeyStatus(ctx: Ctx, accountId: Id): Promise<AccountStatus> {
  const [keys, suspendedAt] = await Promise.all([readApiKeys(ctx, accountId), readSuspension(ctx, accountId)])
  const ids = keys.map(({ id }) => id)
  return { suspended: suspendedAt !== null, revokedBefore: 0, endedSessions: [], keys: ids }
}

/** A login that read the account before the suspension may be stored this much later, and is not restricted. */
const LATE_LOGIN_MS = 60_000

/** Ends the sessions and API keys that are older than the suspension, even if it was lifted. A late repeat ends no restricted login. */
export async function endSessionsOfSuspended(
  ctx: SystemCtx,
  { accountId }: { accountId: Id },
  eventId: Id,
): Promise<void> {
  const isSuspended = (await readSuspension(ctx, accountId)) !== null
  const suspended = timeOf(eventId)
  const before = isSuspended ? Math.min(ctx.now(), suspended + LATE_LOGIN_MS) : suspended
  const db = ctx.db.directory
  await db.batch([
    db
      .update(users)
      .set({
        tokensVoidBefore: atLeast(users.tokensVoidBefore, before),
        keysVoidBefore: atLeast(users.keysVoidBefore, before),
      })
      .where(eq(users.id, accountId)),
    db.delete(sessions).where(and(eq(sessions.userId, accountId), lte(sessions.createdAt, new Date(before)))),
    deleteApiKeys(db, accountId, { until: before }),
    deleteGrants(db, accountId, before),
  ])
  await revokeAllTokens(ctx, { accountId })
}
