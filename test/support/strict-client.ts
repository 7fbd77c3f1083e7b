import * as oauth from 'oauth4webapi'
import { expect } from 'vitest'

/** A server, and what a person does in the browser. */
export type Place = {
  issuer: string
  fetch: (url: string, init?: RequestInit) => Promise<Response>
  /** Allows the request with this query. Returns the address to which the browser returns. */
  allow: (query: string) => Promise<URL>
  person: { id: string; handle: string }
}
type App = { id: string; secret: string | null; redirect: string }

const authOf = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
  none: () => oauth.None(),
}
type Method = keyof typeof authOf

/** A client that checks every answer against the standards: discovery, PKCE, tokens, JWKS, userinfo. */
export class StrictClient {
  readonly client: oauth.Client
  private readonly auth: oauth.ClientAuth
  private readonly place: Place
  private readonly redirect: string

  constructor(place: Place, { id, secret, redirect }: App, method: Method) {
    this.place = place
    this.client = { client_id: id }
    this.auth = authOf[method](secret ?? '')
    this.redirect = redirect
  }

  get options() {
    return { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: this.place.fetch }
  }

  async discover(algorithm: 'oidc' | 'oauth2'): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.place.issuer)
    const response = await oauth.discoveryRequest(issuer, { ...this.options, algorithm })
    return oauth.processDiscoveryResponse(issuer, response)
  }

  /** The tokens for the code that the person allows. */
  async authorized(as: oauth.AuthorizationServer) {
    const verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const url = new URL(as.authorization_endpoint!)
    const parameters = {
      response_type: 'code',
      client_id: this.client.client_id,
      redirect_uri: this.redirect,
      scope: 'openid offline_access accounts:read',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      max_age: '600',
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    const page = await this.place.fetch(url.href, { redirect: 'manual' })
    expect([page.status, page.headers.get('location')]).toEqual([303, `${url.origin}/authorize${url.search}`])
    const back = await this.place.allow(url.search.slice(1))
    const answer = oauth.validateAuthResponse(as, this.client, back, state)
    const by = [as, this.client, this.auth, answer, this.redirect, verifier, this.options] as const
    const response = await oauth.authorizationCodeGrantRequest(...by)
    const expected = { expectedNonce: nonce, maxAge: 600, requireIdToken: true }
    return oauth.processAuthorizationCodeResponse(as, this.client, response, expected)
  }

  async refreshed(as: oauth.AuthorizationServer, token: string): Promise<oauth.TokenEndpointResponse> {
    const response = await oauth.refreshTokenGrantRequest(as, this.client, this.auth, token, this.options)
    return oauth.processRefreshTokenResponse(as, this.client, response)
  }

  async introspected(as: oauth.AuthorizationServer, token: string): Promise<oauth.IntrospectionResponse> {
    const response = await oauth.introspectionRequest(as, this.client, this.auth, token, this.options)
    return oauth.processIntrospectionResponse(as, this.client, response)
  }

  async revoke(as: oauth.AuthorizationServer, token: string): Promise<void> {
    const response = await oauth.revocationRequest(as, this.client, this.auth, token, this.options)
    await oauth.processRevocationResponse(response)
  }
}

/** Everything that an app does, from discovery to revocation. */
export async function expectWholeLife(place: Place, app: App, method: Method): Promise<void> {
  const client = new StrictClient(place, app, method)
  const { person } = place
  const as = await client.discover(method === 'none' ? 'oauth2' : 'oidc')
  const tokens = await client.authorized(as)
  const claims = oauth.getValidatedIdTokenClaims(tokens)!
  expect(claims).toMatchObject({ sub: person.id, aud: app.id, iss: place.issuer })
  const api = `${new URL(place.issuer).origin}/v1/accounts/me`
  const statusOf = async (token: string) =>
    (await place.fetch(api, { headers: { authorization: `Bearer ${token}` } })).status
  expect(await statusOf(tokens.access_token)).toBe(200)

  const info = await oauth.userInfoRequest(as, client.client, tokens.access_token, client.options)
  const shown = await oauth.processUserInfoResponse(as, client.client, claims.sub, info)
  expect(shown).toMatchObject({ preferred_username: person.handle })

  const renewed = await client.refreshed(as, tokens.refresh_token!)
  expect(oauth.getValidatedIdTokenClaims(renewed)).toMatchObject({ sub: person.id, auth_time: claims.auth_time })
  // A public client cannot introspect.
  if (method !== 'none') {
    const state = await client.introspected(as, renewed.access_token)
    expect(state).toMatchObject({ active: true, sub: person.id })
  }
  await client.revoke(as, renewed.refresh_token!)
  expect(await statusOf(renewed.access_token)).toBe(401)
}
