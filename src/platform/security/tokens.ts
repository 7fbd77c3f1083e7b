import { z } from '@hono/zod-openapi'
import type { JSONWebKeySet } from 'jose'
import * as errors from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { jwtVerify } from 'jose/jwt/verify'
import { roles, type SystemCtx, type Viewer } from '../context.ts'
import { Id } from '../data/ids.ts'
import { Failure } from '../failures.ts'

/** How long an access token is valid, and so how long its revocation must be stored. */
export const ACCESS_TOKEN_LIFE_MS = 3_600_000

/** Called every ten minutes per isolate. An unknown key id calls it earlier, but at most every five seconds. */
export type KeySource = (ctx: SystemCtx) => Promise<JSONWebKeySet>

/** The client id of our own applications. A token of any other client belongs to an app of another developer. */
export const OWN_CLIENT = 'socialconnect'

export const jwtAudience = (ctx: SystemCtx) => `${ctx.config.BASE_URL}/v1`
export const jwtIssuer = (ctx: SystemCtx) => `${ctx.config.BASE_URL}/auth`

/** Scopes as in RFC 6749, section 3.3. */
const SCOPES = /^[!#-[\]-~]+( [!#-[\]-~]+)*$/
/** The 64 bytes of an Ed25519 signature have 86 characters, of which the last one has four bits that must be zero. */
const SIGNATURE = /\.[\w-]{85}[AQgw]$/
const CLOCK_SKEW_S = 5

const Claims = z.object({
  sub: Id,
  role: z.enum(roles),
  scope: z.string().regex(SCOPES),
  sid: z.string().regex(/^[^:]+$/, 'must be the session of a login'),
  client_id: z.string().default(OWN_CLIENT),
  restricted: z.boolean().default(false),
  iat: z.int(),
  exp: z.int(),
})

type Verified = { viewer: Viewer; expiresAt: number }
type Keys = { get: ReturnType<typeof createLocalJWKSet>; fetchedAt: number; dueAt: number }
/** For so long, a removed key may still be trusted. */
const KEPT_MS = 10 * 60_000
const REFETCH_MS = 5_000
const MAX_REMEMBERED_TOKENS = 5_000
const verified = new Map<string, Verified>()
let keys: Keys | null = null

/** The viewer of an unexpired token that this isolate has verified before. */
export function rememberedViewer(ctx: SystemCtx, token: string): Viewer | null {
  const known = verified.get(token)
  return known && known.expiresAt > ctx.now() ? known.viewer : null
}

/** Accepts RFC 9068 `at+jwt` with EdDSA and our issuer and audience only (RFC 8725). Throws `unauthorized`. */
export async function verifyAccessToken(ctx: SystemCtx, token: string, source: KeySource): Promise<Viewer> {
  const claims = await verify(ctx, token, source)
  const viewer: Viewer = {
    id: claims.sub,
    role: claims.role,
    scopes: new Set(claims.scope.split(' ')),
    sessionId: claims.sid,
    issuedAt: claims.iat * 1_000,
    ...(claims.client_id !== OWN_CLIENT && { clientId: claims.client_id }),
    ...(claims.restricted && { isRestricted: true }),
  }
  if (verified.size >= MAX_REMEMBERED_TOKENS) verified.clear()
  verified.set(token, { viewer, expiresAt: Math.min(claims.exp * 1_000, keys!.dueAt) })
  return viewer
}

async function verify(ctx: SystemCtx, token: string, source: KeySource): Promise<z.infer<typeof Claims>> {
  const options = {
    algorithms: ['EdDSA', 'Ed25519'],
    typ: 'at+jwt',
    issuer: jwtIssuer(ctx),
    audience: jwtAudience(ctx),
    currentDate: new Date(ctx.now()),
  }
  if (!SIGNATURE.test(token)) throw unauthorized()
  try {
    const { get } = await currentKeys(ctx, source)
    const { payload } = await jwtVerify(token, get, options).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSNoMatchingKey) || keys!.fetchedAt > ctx.now() - REFETCH_MS) throw error
      keys = await load(ctx, source)
      return jwtVerify(token, keys.get, options)
    })
    const claims = Claims.parse(payload)
    // Revocations are compared with the time of issue, so a token must not come from the future.
    if (claims.iat > ctx.now() / 1_000 + CLOCK_SKEW_S) throw unauthorized()
    return claims
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw unauthorized('The token has expired')
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw unauthorized()
    throw error
  }
}

/** When the keys are due, one request reloads them; the others use the old keys until it succeeds. */
async function currentKeys(ctx: SystemCtx, source: KeySource): Promise<Keys> {
  if (keys && keys.dueAt > ctx.now()) return keys
  if (keys) keys.dueAt = ctx.now() + REFETCH_MS
  keys = await load(ctx, source).catch((error: unknown) => {
    if (!keys) throw error
    ctx.log.warn('the signing keys cannot be read', { error })
    return keys
  })
  return keys
}

async function load(ctx: SystemCtx, source: KeySource): Promise<Keys> {
  const set = await source(ctx)
  const now = ctx.now()
  // Until the first key exists, the keys never count as recent, so each verification of a token reloads them.
  return { get: createLocalJWKSet(set), fetchedAt: set.keys.length > 0 ? now : 0, dueAt: now + KEPT_MS }
}

/** 401 for a request without a token; its challenge contains no error code (RFC 6750, section 3.1). */
export function tokenMissing(detail?: string): Failure {
  return new Failure('unauthorized', detail, { headers: { 'www-authenticate': 'Bearer' } })
}

/** 401 for an invalid token. */
export function unauthorized(detail?: string): Failure {
  return new Failure('unauthorized', detail, { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })
}
