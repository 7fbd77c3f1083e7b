import { z } from '@hono/zod-openapi'
import type * as OAuth from 'oauth4webapi'
import type { Ctx } from '../../../platform/context.ts'
import { Failure, invalid, unavailable } from '../../../platform/failures.ts'
import { outbound } from '../../../platform/security/outbound.ts'
import { outboundUrl } from '../../../platform/security/outbound-url.ts'
import { providerFailed } from '../failures.ts'
import { type Callback, type Flow, useFlow } from './flows.ts'
import { leftHash } from './left-hash.ts'
import type { Provider } from './provider-list.ts'

const METADATA_MS = 3_600_000
const CLOCK_TOLERANCE_S = 60
const ASYMMETRIC = /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$|^Ed25519$/

/** Discovery document and keys per issuer. The keys are copied, because oauth4webapi would share promises of a request. */
type Known = { server: OAuth.AuthorizationServer; readAt: number; keys: OAuth.JWKSCacheInput }
const known = new Map<string, Known>()

type Call = { ctx: Ctx; oauth: typeof OAuth; provider: Provider }

const Claims = z.object({
  sub: z.string().min(1).max(255),
  iat: z.number(),
  auth_time: z.number().optional(),
  at_hash: z.string().optional(),
  email: z.string().max(254).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  name: z.string().max(200).optional().catch(undefined),
  preferred_username: z.string().max(200).optional().catch(undefined),
})
export type Claims = z.infer<typeof Claims>

export const redirectUri = ({ config }: Pick<Ctx, 'config'>) => `${config.BASE_URL}/login/callback`

/** The address at the provider to which the person goes: OpenID Connect Core 3.1.2.1, with PKCE S256 (RFC 7636). */
export function authorizationUrl(ctx: Ctx, provider: Provider, flow: Flow): Promise<string> {
  return guarded(ctx, provider, async (oauth) => {
    const { server } = await metadataOf({ ctx, oauth, provider })
    const url = outboundUrl(ctx.config, server.authorization_endpoint ?? '')
    const parameters = {
      client_id: provider.clientId,
      redirect_uri: redirectUri(ctx),
      response_type: 'code',
      scope: provider.scopes.join(' '),
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
      ...(flow.purpose === 'confirm' && { prompt: 'login', max_age: '0' }),
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return url.href
  })
}

/** Exchanges the code, once, and checks the ID token (OpenID Connect Core 3.1.3.7). Throws `invalid` for a wrong code. */
export function redeemCode(ctx: Ctx, provider: Provider, flow: Flow, callback: Callback): Promise<Claims> {
  return guarded(ctx, provider, async (oauth) => {
    const call = { ctx, oauth, provider }
    const { server, keys } = await metadataOf(call)
    const client = { client_id: provider.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE_S }
    const { code, state, iss } = callback
    const received = new URLSearchParams({ code, state, ...(iss !== undefined && { iss }) })
    const checked = oauth.validateAuthResponse(server, client, received, flow.state)
    await useFlow(ctx, flow)
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authenticationOf(call, server),
      checked,
      redirectUri(ctx),
      flow.verifier,
      transport(call),
    )
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: flow.nonce,
      requireIdToken: true,
    })
    const copy = structuredClone(keys)
    const check = { ...transport(call), [oauth.jwksCache]: copy }
    await oauth.validateApplicationLevelSignature(server, response, check).finally(() => {
      Object.assign(keys, copy)
    })
    const { data: claims, error } = Claims.safeParse(oauth.getValidatedIdTokenClaims(tokens))
    if (!claims) throw new Failure(providerFailed, `the ID token of ${provider.name} has a wrong ${namesIn(error)}`)
    await requireConsistent(call, flow, claims, tokens)
    return claims
  })
}

const namesIn = ({ issues }: z.ZodError) => issues.map(({ path }) => path.join('.')).join(', ')

type Answer = { access_token: string; id_token?: string }

async function requireConsistent({ ctx, provider }: Call, flow: Flow, claims: Claims, answer: Answer): Promise<void> {
  const refuse = (reason: string) => new Failure(providerFailed, `the ID token of ${provider.name} ${reason}`)
  const now = ctx.now() / 1_000
  const earliest = flow.startedAt / 1_000 - CLOCK_TOLERANCE_S
  if (claims.iat > now + CLOCK_TOLERANCE_S) throw refuse('is from the future: its clock is ahead')
  if (claims.iat < earliest) throw refuse('is older than this login: it was replayed, or its clock is behind')
  const { at_hash: hash } = claims
  if (hash !== undefined && hash !== (await leftHash(answer.id_token ?? '', answer.access_token)))
    throw refuse('belongs to another access token (at_hash)')
  if (flow.purpose !== 'confirm') return
  if (claims.auth_time === undefined) throw refuse('does not say when the person logged in (auth_time)')
  if (claims.auth_time < earliest) throw refuse('does not prove a new login: the person logged in earlier')
}

async function metadataOf(call: Call): Promise<Known> {
  const found = known.get(call.provider.issuer)
  const entry = found && found.readAt > call.ctx.now() - METADATA_MS ? found : await discover(call)
  return { ...entry, server: { ...entry.server } }
}

async function discover({ ctx, oauth, provider }: Call): Promise<Known> {
  const issuer = new URL(provider.issuer)
  const response = await oauth.discoveryRequest(issuer, transport({ ctx, oauth, provider }))
  const metadata = await oauth.processDiscoveryResponse(issuer, response)
  const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256']
  const server = { ...metadata, id_token_signing_alg_values_supported: offered.filter((name) => ASYMMETRIC.test(name)) }
  const read = { server, readAt: ctx.now(), keys: {} }
  known.set(provider.issuer, read)
  return read
}

function authenticationOf({ oauth, provider }: Call, server: OAuth.AuthorizationServer): OAuth.ClientAuth {
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const isBasic = methods.includes('client_secret_basic')
  return isBasic ? oauth.ClientSecretBasic(provider.clientSecret) : oauth.ClientSecretPost(provider.clientSecret)
}

/** `outbound` allows http for local hosts in development only, so oauth4webapi need not refuse it. */
function transport({ ctx, oauth, provider }: Call) {
  return {
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: async (url: string, { method, headers, body }: Sent) => {
      const response = await outbound(ctx, url, { method, headers, body: body?.toString(), redirect: 'manual' })
      if (response.status >= 500) throw unavailable(30, `${provider.name} is unavailable`)
      return response
    },
  }
}
type Sent = { method: string; headers: Record<string, string>; body?: URLSearchParams | null | undefined }

async function guarded<T>(ctx: Ctx, provider: Provider, run: (oauth: typeof OAuth) => Promise<T>): Promise<T> {
  const oauth = await import('oauth4webapi')
  return run(oauth).catch((error: unknown) => {
    if (error instanceof Failure && !isOfUrl(error)) throw error
    ctx.log.warn('a login at a provider failed', { provider: provider.id, error })
    if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant')
      throw invalid('code', `was refused by ${provider.name}: it is wrong, expired or already used; start again`)
    const reason = error instanceof Error ? error.message : 'unknown'
    throw new Failure(providerFailed, `${provider.name}: ${reason}`)
  })
}

/** Its discovery document names an address that outbound calls may not reach. */
const isOfUrl = ({ extra }: Failure) => extra.errors?.some(({ field }) => field === 'url') ?? false
