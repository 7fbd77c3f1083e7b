import { AsyncLocalStorage } from 'node:async_hooks'
import { oauthProvider } from '@better-auth/oauth-provider'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { isAPIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { jwt } from 'better-auth/plugins'
import { drizzle } from 'drizzle-orm/d1'
import type { Role, SystemCtx } from '../../platform/context.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { digest } from '../../platform/security/crypto.ts'
import { ACCESS_TOKEN_LIFE_MS, jwtAudience, jwtIssuer, OWN_CLIENT } from '../../platform/security/tokens.ts'
import { firstParty } from './first-party.ts'
import { REFRESH_TOKEN_DAYS, REUSE_SECONDS } from './lifetimes.ts'
import { ensureClient, grantedScopes } from './oauth-client.ts'
import { oauthClients, oauthResources, refreshTokens } from './oauth-tables.ts'
import { credentials, jwks, sessions, users } from './tables.ts'

// Import this file only with `await import('./auth.ts')`: better-auth is large, and most requests do not need it.

const DAY = 86_400
const SIGNING_KEY_DAYS = 90

const schema = {
  user: users,
  session: sessions,
  account: credentials,
  jwks,
  oauthClient: oauthClients,
  oauthResource: oauthResources,
  oauthRefreshToken: refreshTokens,
}

/** Holds the database of the current request, because one better-auth instance serves all requests of an isolate. */
const directory = new AsyncLocalStorage<Database>()

/** Sends better-auth's queries through the session of the current request, which counts them and limits their time. */
function sessionClient(binding: D1Database): D1Database {
  return Object.assign(Object.create(binding), {
    prepare: (query: string) => directory.getStore()!.$client.prepare(query),
  })
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
    database: drizzleAdapter(drizzle(sessionClient(env.DIRECTORY)), { provider: 'sqlite', schema }),
    // better-auth's schema check requires the tables of all its features, also of those not used here.
    advanced: { database: { validateSchema: false } },
    plugins: [
      jwt({ jwt: { issuer: jwtIssuer(ctx) }, jwks: { rotationInterval: SIGNING_KEY_DAYS * DAY } }),
      oauthProvider({
        loginPage: '/',
        consentPage: '/',
        scopes: grantedScopes(),
        accessTokenExpiresIn: ACCESS_TOKEN_LIFE_MS / 1_000,
        refreshTokenExpiresIn: REFRESH_TOKEN_DAYS * DAY,
        refreshTokenReuseInterval: REUSE_SECONDS,
        idTokenExpiresIn: ACCESS_TOKEN_LIFE_MS / 1_000,
        // There is only one API, so no client needs its own check.
        enforcePerClientResources: false,
        storeTokens: { hash: digest },
        cachedTrustedClients: new Set([OWN_CLIENT]),
        cachedResources: new Set([jwtAudience(ctx)]),
        customAccessTokenClaims: ({ user }) => {
          const { role, restricted } = (user ?? {}) as { role?: Role; restricted?: boolean }
          return { role, ...(restricted && { restricted }) }
        },
      }),
      firstParty,
    ],
  })
}

let auth: ReturnType<typeof makeAuth> | null = null

function withAuth<T>(ctx: SystemCtx, call: (api: ReturnType<typeof makeAuth>['api']) => Promise<T>): Promise<T> {
  auth ??= makeAuth(ctx)
  const { api } = auth
  return directory.run(atPrimary(ctx).directory, () => call(api))
}

type Login = { user: { id: Id; role: Role }; sessionId: string; rotates?: string; isSuspended: boolean; app?: AppGrant }
/** What an app of another developer gets. `granted` includes `scopes`. */
export type AppGrant = { appId: Id; scopes: string[]; granted: string[]; nonce?: string; authTime?: number }

/** Replaces the refresh token `login.rotates`. Returns null if another request has replaced it, or the login ended. */
export async function issueTokens(ctx: SystemCtx, login: Login) {
  await ensureClient(ctx)
  const body = { ...login, audience: jwtAudience(ctx) }
  return withAuth(ctx, (api) => api.issueTokens({ body })).catch((error: unknown) => {
    if (isLost(error)) return null
    throw error
  })
}

/** The tokens from the rotation of the refresh token `id`. Null while it is running, or if they cannot be decrypted. */
export async function replayRotation(ctx: SystemCtx, id: string) {
  return withAuth(ctx, (api) => api.replayRotation({ body: { id } })).catch((error: unknown) => {
    ctx.log.error('the stored response of a token rotation cannot be decrypted', { error })
    return null
  })
}

/** Whether a concurrent request used the token first, or the login has just ended and its row is gone. */
function isLost(error: unknown): boolean {
  if (isAPIError(error)) return error.body?.error === 'invalid_grant'
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes('FOREIGN KEY constraint failed')) return true
  }
  return false
}
