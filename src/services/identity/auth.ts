import { oauthProvider } from '@better-auth/oauth-provider'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { isAPIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { jwt } from 'better-auth/plugins'
import { drizzle } from 'drizzle-orm/d1'
import type { Role, SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { scopes } from '../../platform/security/access.ts'
import { ACCESS_TOKEN_LIFE_MS, jwtAudience, jwtIssuer } from '../../platform/security/tokens.ts'
import { firstParty } from './first-party.ts'
import { CLIENT_ID, ensureClient } from './oauth-client.ts'
import { oauthClientResources, oauthClients, oauthResources, refreshTokens } from './oauth-tables.ts'
import { hashPassword, passwordMatches } from './passwords.ts'
import { hashToken } from './refresh-tokens.ts'
import { credentials, jwks, sessions, users } from './tables.ts'

// Loaded by `await import('./auth.ts')` on first use: it is heavy, and most requests need nothing of it.

const DAY = 86_400
/** How long a login lasts, however much it is used. */
const SESSION_DAYS = 180
/** How long a login may rest between two refreshes. */
const REFRESH_DAYS = 30
/** How long a rotated refresh token still gets the answer that its client may have missed. */
const GRACE_SECONDS = 30
const SIGNING_KEY_DAYS = 90

const schema = {
  user: users,
  session: sessions,
  account: credentials,
  jwks,
  oauthClient: oauthClients,
  oauthResource: oauthResources,
  oauthClientResource: oauthClientResources,
  oauthRefreshToken: refreshTokens,
}

function makeAuth(ctx: SystemCtx) {
  const { config, env } = ctx
  return betterAuth({
    appName: 'SocialConnect',
    baseURL: config.BASE_URL,
    basePath: '/auth',
    secret: config.AUTH_SECRET,
    disabledPaths: ['/token'],
    telemetry: { enabled: false },
    logger: { disabled: true },
    database: drizzleAdapter(drizzle(env.DIRECTORY), { provider: 'sqlite', schema }),
    // Its check asks for the tables of every feature, used or not.
    advanced: { database: { validateSchema: false } },
    session: { expiresIn: SESSION_DAYS * DAY },
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: true,
      password: {
        hash: async (password) => hashPassword(config, password),
        verify: async ({ hash, password }) => passwordMatches(config, password, hash),
      },
    },
    plugins: [
      jwt({ jwt: { issuer: jwtIssuer(ctx) }, jwks: { rotationInterval: SIGNING_KEY_DAYS * DAY } }),
      oauthProvider({
        loginPage: '/',
        consentPage: '/',
        scopes: [...scopes, 'offline_access'],
        accessTokenExpiresIn: ACCESS_TOKEN_LIFE_MS / 1_000,
        refreshTokenExpiresIn: REFRESH_DAYS * DAY,
        refreshTokenReuseInterval: GRACE_SECONDS,
        storeTokens: { hash: hashToken },
        cachedTrustedClients: new Set([CLIENT_ID]),
        cachedResources: new Set([jwtAudience(ctx)]),
        customAccessTokenClaims: ({ user }) => ({ role: (user as { role?: Role } | undefined)?.role }),
      }),
      firstParty,
    ],
  })
}

let auth: ReturnType<typeof makeAuth> | null = null

type Login = { user: { id: Id; role: Role }; sessionId?: string; rotates?: string }

/** Issues a login's first tokens, or its next ones in place of the refresh token `rotates`; null when another was faster. */
export async function issueTokens(ctx: SystemCtx, login: Login) {
  await ensureClient(ctx)
  auth ??= makeAuth(ctx)
  return auth.api.issueTokens({ body: { ...login, audience: jwtAudience(ctx) } }).catch((error: unknown) => {
    if (isLost(error)) return null
    throw error
  })
}

/** The tokens that the rotation of a refresh token (by its id) gave; null while they are still being made. */
export async function replayRotation(ctx: SystemCtx, id: string) {
  auth ??= makeAuth(ctx)
  return auth.api.replayRotation({ body: { id } }).catch((error: unknown) => {
    ctx.log.error('the answer of a rotation cannot be opened', { error })
    return null
  })
}

/** Rotation lost: the token was used at the same moment, or the login has just ended and its row with it. */
function isLost(error: unknown): boolean {
  if (isAPIError(error)) return error.body?.error === 'invalid_grant'
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes('FOREIGN KEY constraint failed')) return true
  }
  return false
}
