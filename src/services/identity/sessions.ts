import { z } from '@hono/zod-openapi'
import { and, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { Failure } from '../../platform/errors.ts'
import { record } from '../../platform/events.ts'
import type { Id } from '../../platform/ids.ts'
import { allSessionsEnded, sessionEnded } from './events.ts'
import { enter } from './login.ts'
import { refreshTokens } from './oauth-tables.ts'
import { primary } from './primary.ts'
import { fromWire, hashToken, RefreshToken } from './refresh-tokens.ts'
import { shutOutEverywhere, shutOutSession } from './standing.ts'
import { handles, sessions, users } from './tables.ts'
import type { Tokens } from './views.ts'

export const Refresh = z.strictObject({ refreshToken: RefreshToken }).openapi('Refresh')
type Refresh = z.infer<typeof Refresh>

/** The next tokens of a login. A refresh token is good for one use: a second one ends the login, since one of the two was a thief. */
export async function refreshLogin(ctx: Ctx, { refreshToken }: Refresh): Promise<Tokens> {
  const token = await fromWire(ctx, refreshToken)
  const login = token && (await findLogin(ctx, token))
  if (!login) throw new Failure('invalid_credentials')
  const { sessionId } = token
  if (login.current === null) {
    ctx.log.warn('a refresh token came back', { accountId: login.id, sessionId })
    await endSession(ctx, { accountId: login.id, sessionId })
    throw new Failure('invalid_credentials')
  }
  const tokens = await enter(ctx, login, { sessionId, rotates: login.current })
  ctx.defer(() => forgetRotated(ctx, sessionId))
  return tokens
}

/** The login, and the id of the token if it is the one to be used next. */
async function findLogin(ctx: Ctx, { sessionId, secret }: { sessionId: string; secret: string }) {
  const now = new Date(ctx.now())
  const isCurrent = and(
    eq(refreshTokens.sessionId, sessions.id),
    eq(refreshTokens.token, await hashToken(secret)),
    isNull(refreshTokens.revoked),
    gt(refreshTokens.expiresAt, now),
  )
  const [login] = await primary(ctx)
    .select({
      id: users.id,
      handle: handles.handle,
      role: users.role,
      suspendedAt: users.suspendedAt,
      tokensVoidBefore: users.tokensVoidBefore,
      current: sql<string | null>`${refreshTokens.id}`.as('current'),
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(handles, eq(handles.accountId, users.id))
    .leftJoin(refreshTokens, isCurrent)
    .where(and(eq(sessions.id, sessionId), gt(sessions.expiresAt, now)))
  return login
}

async function forgetRotated(ctx: Ctx, sessionId: string): Promise<void> {
  await ctx.db.directory
    .delete(refreshTokens)
    .where(and(eq(refreshTokens.sessionId, sessionId), isNotNull(refreshTokens.revoked)))
}

/** Ends the viewer's login: its refresh token at once, its access token within two seconds, its sockets. */
export async function logOut(ctx: UserCtx): Promise<void> {
  await endSession(ctx, { accountId: ctx.viewer.id, sessionId: ctx.viewer.sessionId })
}

async function endSession(ctx: Ctx, ended: { accountId: Id; sessionId: string }): Promise<void> {
  const db = ctx.db.directory
  await db.batch([
    db.delete(sessions).where(and(eq(sessions.id, ended.sessionId), eq(sessions.userId, ended.accountId))),
    record(db, sessionEnded, ended),
  ])
  await shutOutSession(ctx, ended)
}

/** Ends all of the viewer's logins. */
export async function logOutEverywhere(ctx: UserCtx): Promise<void> {
  const accountId = ctx.viewer.id
  const db = ctx.db.directory
  await db.batch([
    db.update(users).set({ tokensVoidBefore: ctx.now() }).where(eq(users.id, accountId)),
    db.delete(sessions).where(eq(sessions.userId, accountId)),
    record(db, allSessionsEnded, { accountId }),
  ])
  await shutOutEverywhere(ctx, { accountId })
}
