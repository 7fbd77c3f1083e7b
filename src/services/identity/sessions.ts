import { z } from '@hono/zod-openapi'
import { and, eq, gt, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { all, flag } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, unavailable } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { digest } from '../../platform/security/crypto.ts'
import { readSuspension } from '../accounts/queries.ts'
import { allSessionsEnded } from './events.ts'
import { invalidCredentials } from './failures.ts'
import { refreshTokens } from './oauth-tables.ts'
import { decodeRefreshToken, RefreshToken } from './refresh-tokens.ts'
import { revokeAllTokens } from './revocation.ts'
import { closeSession, undoRotation } from './session-rows.ts'
import { issueTokenPair, type Person, type Session } from './start-session.ts'
import { endLogins } from './statements.ts'
import { handles, sessions, users } from './tables.ts'
import type { Tokens } from './views.ts'

export const Refresh = z.strictObject({ refreshToken: RefreshToken }).openapi('Refresh')
type Refresh = z.infer<typeof Refresh>

const ROTATION_MS = 2_000
const POLL_INTERVAL_MS = 50
/** A rotation that has stored no response after this time was interrupted. */
const INTERRUPTED_MS = 5_000

export async function refreshLogin(ctx: Ctx, { refreshToken }: Refresh): Promise<Tokens> {
  return rotate(ctx, refreshToken, isNull(sessions.appId), (login, session) => issueTokenPair(ctx, login, session))
}

type Issue<T> = (login: Found, session: Session) => Promise<T | null>

/**
 * Replaces the refresh token of a login that `owned` selects. Reusing a token after its grace period ends the login: two
 * parties have the token, so one of them stole it.
 */
export async function rotate<T>(ctx: Ctx, refreshToken: string, owned: SQL, issue: Issue<T>): Promise<T> {
  const token = await decodeRefreshToken(ctx, refreshToken)
  if (!token) throw new Failure(invalidCredentials)
  for (const until = ctx.now() + ROTATION_MS; ctx.now() < until; await scheduler.wait(POLL_INTERVAL_MS)) {
    const tokens = await useToken(ctx, { ...token, owned }, issue)
    if (tokens) return tokens
  }
  throw unavailable(1)
}

/** Returns null while another request is rotating the token. */
async function useToken<T>(ctx: Ctx, token: Presented, issue: Issue<T>): Promise<T | null> {
  const { sessionId } = token
  const login = await findLogin(ctx, token)
  if (!login) throw new Failure(invalidCredentials)
  if (login.tokenId === null) {
    ctx.log.warn('a refresh token was reused', { accountId: login.id, sessionId })
    await closeSession(ctx, { accountId: login.id, sessionId }, 'token_reused')
    throw new Failure(invalidCredentials)
  }
  if (login.interrupted) {
    await undoRotation(atPrimary(ctx).directory, { sessionId, tokenId: login.tokenId })
    return null
  }
  const rotation = {
    tokenId: login.tokenId,
    rotated: login.revoked !== null,
    createdAt: login.createdAt.getTime(),
    usedAt: login.usedAt.getTime(),
  }
  const suspendedAt = await readSuspension(ctx, login.id)
  if (suspendedAt !== null && rotation.createdAt <= suspendedAt) throw new Failure(invalidCredentials)
  return issue(login, { sessionId, deviceId: login.deviceId, rotation, isSuspended: suspendedAt !== null })
}

type Presented = { sessionId: string; secret: string; owned: SQL }
type Found = Person & Pick<typeof sessions.$inferSelect, 'createdAt' | 'confirmedAt' | 'scopes'>

/** `tokenId` is null if the token has expired, or was rotated and its grace period is over. */
async function findLogin(ctx: Ctx, { sessionId, secret, owned }: Presented) {
  const now = new Date(ctx.now())
  const isRunning = all(isNotNull(refreshTokens.revoked), isNull(refreshTokens.rotationReplayResponse))
  const isUsable = and(
    eq(refreshTokens.sessionId, sessions.id),
    eq(refreshTokens.token, await digest(secret)),
    gt(
      sql`iif(${refreshTokens.revoked} is null or ${isRunning}, ${refreshTokens.expiresAt}, ${refreshTokens.rotationReplayExpiresAt})`,
      ctx.now(),
    ),
  )
  const [login] = await atPrimary(ctx)
    .directory.select({
      id: users.id,
      handle: handles.handle,
      role: users.role,
      tokensVoidBefore: users.tokensVoidBefore,
      tokenId: sql<string | null>`${refreshTokens.id}`.as('token_id'),
      revoked: refreshTokens.revoked,
      interrupted: flag(
        all(isRunning, lt(refreshTokens.rotatedAt, new Date(ctx.now() - INTERRUPTED_MS))),
        'interrupted',
      ),
      createdAt: sessions.createdAt,
      usedAt: sessions.updatedAt,
      deviceId: sessions.deviceId,
      confirmedAt: sessions.confirmedAt,
      scopes: sessions.scopes,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(handles, eq(handles.accountId, users.id))
    .leftJoin(refreshTokens, isUsable)
    .where(and(eq(sessions.id, sessionId), owned, gt(sessions.expiresAt, now)))
  return login
}

export async function logOut(ctx: UserCtx): Promise<void> {
  await closeSession(ctx, { accountId: ctx.viewer.id, sessionId: ctx.viewer.sessionId }, 'logged_out')
}

export async function logOutEverywhere(ctx: UserCtx): Promise<void> {
  const accountId = ctx.viewer.id
  const actor = await actorOf(ctx)
  const db = ctx.db.directory
  await db.commit([
    ...endLogins(db, accountId, { devices: true }),
    record(db, allSessionsEnded, { accountId, ...actor }),
  ])
  await revokeAllTokens(ctx, { accountId })
}
