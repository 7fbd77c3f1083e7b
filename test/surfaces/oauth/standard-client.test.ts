import * as oauth from 'oauth4webapi'
import { beforeAll, expect, test } from 'vitest'
import type { AppWithSecret } from '../../../src/services/apps/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { readMe } from '../../support/auth.ts'
import { anonymousClient, BASE_URL } from '../../support/client.ts'
import { allow, authorize, ISSUER, REDIRECT, registeredApp } from '../../support/oauth.ts'

// A strict client, which checks every answer against the standards: discovery, PKCE, tokens, JWKS, userinfo.

let ada: RegisteredUser
let confidential: AppWithSecret
let open: AppWithSecret
const by = anonymousClient()
const options = {
  [oauth.allowInsecureRequests]: true,
  [oauth.customFetch]: (url: string, init: RequestInit) => by.fetch(url.slice(BASE_URL.length), init),
}

beforeAll(async () => {
  ada = await registeredUser()
  const bob = await registeredUser()
  confidential = await registeredApp(bob, 'confidential')
  open = await registeredApp(bob, 'public')
})

async function discover(algorithm: 'oidc' | 'oauth2'): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(ISSUER)
  const response = await oauth.discoveryRequest(issuer, { ...options, algorithm })
  return oauth.processDiscoveryResponse(issuer, response)
}

type Client = { client: oauth.Client; auth: oauth.ClientAuth }

async function authorized(as: oauth.AuthorizationServer, { client, auth }: Client) {
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(as.authorization_endpoint!)
  const parameters = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    scope: 'openid offline_access accounts:read',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    max_age: '600',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const page = await authorize(url.search.slice(1))
  expect(page.status).toBe(303)
  expect(page.headers.get('location')).toBe(`${BASE_URL}/authorize${url.search}`)
  const back = await allow(ada, url.search.slice(1))
  const answer = oauth.validateAuthResponse(as, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, REDIRECT, verifier, options)
  return oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: nonce,
    maxAge: 600,
    requireIdToken: true,
  })
}

const authOf = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
  none: () => oauth.None(),
}

test.each(['client_secret_basic', 'client_secret_post', 'none'] as const)(
  'a strict client completes discovery, PKCE, userinfo, refresh, introspection and revocation with %s',
  async (method) => {
    const app = method === 'none' ? open : confidential
    const client = { client_id: app.id }
    const auth = authOf[method](app.secret ?? '')
    const as = await discover(method === 'none' ? 'oauth2' : 'oidc')
    const tokens = await authorized(as, { client, auth })
    const claims = oauth.getValidatedIdTokenClaims(tokens)!
    expect(claims).toMatchObject({ sub: ada.id, aud: app.id, iss: ISSUER })
    expect((await readMe(tokens.access_token)).status).toBe(200)

    const info = await oauth.userInfoRequest(as, client, tokens.access_token, options)
    expect(await oauth.processUserInfoResponse(as, client, claims.sub, info)).toMatchObject({
      preferred_username: ada.handle,
    })

    const refreshed = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token!, options)
    const renewed = await oauth.processRefreshTokenResponse(as, client, refreshed)
    expect(oauth.getValidatedIdTokenClaims(renewed)).toMatchObject({ sub: ada.id, auth_time: claims.auth_time })

    if (method !== 'none') {
      const introspected = await oauth.introspectionRequest(as, client, auth, renewed.access_token, options)
      expect(await oauth.processIntrospectionResponse(as, client, introspected)).toMatchObject({
        active: true,
        sub: ada.id,
      })
    }
    const revoked = await oauth.revocationRequest(as, client, auth, renewed.refresh_token!, options)
    await oauth.processRevocationResponse(revoked)
    expect((await readMe(renewed.access_token)).status).toBe(401)
  },
)

test('the id token names the access token, and its signature is that of a published key', async () => {
  const as = await discover('oidc')
  const client = { client_id: confidential.id }
  const tokens = await authorized(as, { client, auth: oauth.ClientSecretPost(confidential.secret!) })
  const response = new Response(JSON.stringify(tokens), { headers: { 'content-type': 'application/json' } })
  Object.defineProperty(response, 'url', { value: as.token_endpoint })
  await oauth.processGenericTokenEndpointResponse(as, client, response)
  await oauth.validateApplicationLevelSignature(as, response, options)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-512', new TextEncoder().encode(tokens.access_token)))
  const half = hash.slice(0, 32).toBase64({ alphabet: 'base64url', omitPadding: true })
  expect(oauth.getValidatedIdTokenClaims(tokens)?.at_hash).toBe(half)
})

test.each([
  '/.well-known/oauth-authorization-server/auth',
  '/.well-known/openid-configuration/auth',
  '/auth/.well-known/openid-configuration',
  '/auth/.well-known/oauth-authorization-server',
])('the metadata of the issuer with a path are at %s', async (path) => {
  const response = await by.fetch(path)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ issuer: ISSUER, code_challenge_methods_supported: ['S256'] })
})

test('no metadata are at the addresses of an issuer without a path', async () => {
  expect((await by.fetch('/.well-known/oauth-authorization-server')).status).toBe(404)
  expect((await by.fetch('/.well-known/openid-configuration')).status).toBe(404)
})

test('the API names its authorization server', async () => {
  const response = await by.fetch('/.well-known/oauth-protected-resource/v1')
  expect(await response.json()).toMatchObject({ resource: `${BASE_URL}/v1`, authorization_servers: [ISSUER] })
})
