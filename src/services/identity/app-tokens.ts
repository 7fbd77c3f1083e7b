import { and, eq, isNull } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import { requireActiveLogin } from '../../platform/security/access.ts'
import { digest } from '../../platform/security/crypto.ts'
import type { AppGrant } from './auth.ts'
import { invalidCredentials } from './failures.ts'
import { refreshTokens } from './oauth-tables.ts'
import { decodeRefreshToken, encodeRefreshToken } from './refresh-tokens.ts'
import { readAccountStatus } from './revocation.ts'
import { closeSession } from './session-rows.ts'
import { rotate } from './sessions.ts'
import { issueFor, type Session } from './start-session.ts'
import { sessions, users } from './tables.ts'

/** `refreshToken` is null without the scope `offline_access`, `idToken` without `openid`. */
export type AppTokens = {
  accessToken: string
  expiresIn: number
  scope: string
  refreshToken: string | null
  idToken: string | null
}

type Started = { accountId: Id; sessionId: string; app: Omit<AppGrant, 'granted'> }

/** The first tokens of a login that an app has just opened; null if that login has ended. */
export async function issueAppTokens(ctx: Ctx, { accountId, sessionId, app }: Started): Promise<AppTokens | null> {
  const directory = atPrimary(ctx).directory
  const [person] = await directory
    .select({ id: users.id, tokensVoidBefore: users.tokensVoidBefore })
    .from(users)
    .where(eq(users.id, accountId))
  const tokens =
    person && (await issueTo(ctx, person, { sessionId, isSuspended: false, app: { ...app, granted: app.scopes } }))
  if (!tokens) return null
  // A refresh token cannot be stored for a login that has ended, but an access token can be issued.
  const isOpen = tokens.refreshToken !== null || (await directory.$count(sessions, eq(sessions.id, sessionId))) > 0
  return isOpen ? tokens : null
}

type Renewal = { appId: Id; refreshToken: string; narrow: (granted: string[]) => string[] }

/** Rotates a refresh token of the app; null if it is not one, or has expired. `narrow` chooses among the scopes. */
export async function refreshAppTokens(ctx: Ctx, { appId, refreshToken, narrow }: Renewal): Promise<AppTokens | null> {
  return rotate(ctx, refreshToken, eq(sessions.appId, appId), (login, session) => {
    if (session.isSuspended) throw new Failure('suspended')
    const granted = login.scopes ?? []
    const authTime = login.confirmedAt ?? login.createdAt.getTime()
    const app = { appId, scopes: narrow(granted), granted, authTime }
    return issueTo(ctx, login, { ...session, app })
  }).catch((error: unknown) => {
    if (error instanceof Failure && ['invalid_credentials', 'suspended'].includes(error.code)) return null
    throw error
  })
}

type Owner = { id: Id; tokensVoidBefore: number }

/** An app never acts as staff, so its tokens have the role of a user. */
async function issueTo(ctx: Ctx, owner: Owner, session: Session): Promise<AppTokens | null> {
  const { id, tokensVoidBefore } = owner
  const issued = await issueFor(ctx, { id, tokensVoidBefore, role: 'user' }, session).catch((error: unknown) => {
    if (error instanceof Failure && error.kind === invalidCredentials) return null
    throw error
  })
  if (!issued) return null
  return {
    accessToken: issued.accessToken,
    expiresIn: issued.expiresIn,
    scope: issued.scope ?? '',
    refreshToken: issued.secret && (await encodeRefreshToken(ctx, session.sessionId, issued.secret)),
    idToken: issued.idToken ?? null,
  }
}

/** The login of an app to which a refresh token of ours belongs; null if it has ended. */
export async function loginOfRefreshToken(ctx: Ctx, refreshToken: string) {
  const token = await decodeRefreshToken(ctx, refreshToken)
  if (!token) return null
  const current = and(
    eq(refreshTokens.sessionId, sessions.id),
    eq(refreshTokens.token, await digest(token.secret)),
    isNull(refreshTokens.revoked),
  )
  const [login] = await atPrimary(ctx)
    .directory.select({
      accountId: sessions.userId,
      appId: sessions.appId,
      scopes: sessions.scopes,
      expiresAt: refreshTokens.expiresAt,
    })
    .from(sessions)
    .leftJoin(refreshTokens, current)
    .where(eq(sessions.id, token.sessionId))
  if (!login?.appId) return null
  const { accountId, appId, scopes } = login
  // Null for a token that was rotated: it still names its login.
  const expiresAt = login.expiresAt?.getTime() ?? null
  return { accountId, appId, scopes: scopes ?? [], expiresAt, sessionId: token.sessionId }
}

/** Whether a token of a login, issued at a time (epoch ms), is still accepted. */
export async function isAccepted(ctx: Ctx, login: { id: Id; sessionId: string; issuedAt: number }): Promise<boolean> {
  const status = await readAccountStatus(ctx, login)
  try {
    requireActiveLogin(login, status)
    return true
  } catch {
    return false
  }
}

/** Ends the login of an app, with all of its tokens. */
export async function endAppLogin(
  ctx: Ctx,
  { accountId, sessionId }: { accountId: Id; sessionId: string },
  reason: 'app_ended' | 'code_reused',
): Promise<void> {
  await closeSession(ctx, { accountId, sessionId }, reason)
}
