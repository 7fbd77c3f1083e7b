import * as oauth from 'oauth4webapi'
import { beforeAll, expect, test } from 'vitest'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { anonymousClient, BASE_URL } from '../../support/client.ts'
import { allow, ISSUER, REDIRECT, registeredApp } from '../../support/oauth.ts'
import { expectWholeLife, type Place, StrictClient } from '../../support/strict-client.ts'

// `test/e2e/apps.ts` lets the same client use a server that was started with `npm start`.

let place: Place
let developer: RegisteredUser
const by = anonymousClient()

beforeAll(async () => {
  const ada = await registeredUser()
  developer = await registeredUser()
  place = {
    issuer: ISSUER,
    fetch: (url, init) => by.fetch(url.slice(BASE_URL.length), init),
    allow: (query) => allow(ada, query),
    person: ada,
  }
})

const appOf = async (kind: 'public' | 'confidential') => ({
  ...(await registeredApp(developer, kind)),
  redirect: REDIRECT,
})

test.each(['client_secret_basic', 'client_secret_post', 'none'] as const)(
  'a strict client completes discovery, PKCE, userinfo, refresh, introspection and revocation with %s',
  async (method) => {
    await expectWholeLife(place, await appOf(method === 'none' ? 'public' : 'confidential'), method)
  },
)

test('the id token names the access token, and its signature is that of a published key', async () => {
  const strict = new StrictClient(place, await appOf('confidential'), 'client_secret_post')
  const { client, options } = strict
  const as = await strict.discover('oidc')
  const tokens = await strict.authorized(as)
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
