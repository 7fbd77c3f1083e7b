import type { AppWithSecret } from '../../src/services/apps/views.ts'
import { type RegisteredUser, registeredUser } from './actors.ts'
import { anonymousClient, BASE_URL, postJson } from './client.ts'

export const REDIRECT = 'https://birdhouse.example/cb'
/** Of RFC 7636, appendix B. */
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
export const ISSUER = `${BASE_URL}/auth`

export type TokenResponse = {
  access_token: string
  refresh_token: string
  id_token?: string
  scope: string
  expires_in: number
  error?: string
}

const details = { name: 'Birdhouse', website: 'https://birdhouse.example/', redirectUris: [REDIRECT] }

export async function registeredApp(
  developer: RegisteredUser,
  kind: 'public' | 'confidential' = 'public',
  more: object = {},
): Promise<AppWithSecret> {
  const response = await postJson('/v1/apps', { ...details, kind, ...more }, developer)
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

/** A person, a public app of that person and a confidential one. */
export async function twoApps(): Promise<{ ada: RegisteredUser; app: AppWithSecret; other: AppWithSecret }> {
  const ada = await registeredUser()
  const app = await registeredApp(ada)
  return { ada, app, other: await registeredApp(ada, 'confidential', { name: 'Other' }) }
}

type Changes = Record<string, string | undefined>

/** The query of an authorization request. A change to `undefined` leaves a parameter out. */
export function requestOf(app: { id: string }, changes: Changes = {}): string {
  const parameters: Changes = {
    response_type: 'code',
    client_id: app.id,
    redirect_uri: REDIRECT,
    scope: 'posts:read accounts:read offline_access',
    state: 'xyz',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  }
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return String(new URLSearchParams(given))
}

/** Sends a browser to the authorization endpoint. */
export const authorize = (query: string): Promise<Response> =>
  anonymousClient().fetch(`/auth/oauth2/authorize?${query}`, { redirect: 'manual' })

export const decide = (user: RegisteredUser, request: string, path = '', accountId: string = user.id) =>
  postJson(`/v1/oauth/authorizations${path}`, { request, accountId }, user)

/** Where the person goes after allowing the app. */
export async function allow(user: RegisteredUser, request: string): Promise<URL> {
  const response = await decide(user, request)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return new URL((await response.json<{ returnTo: string }>()).returnTo)
}

export async function codeFor(user: RegisteredUser, app: { id: string }, changes: Changes = {}): Promise<string> {
  return (await allow(user, requestOf(app, changes))).searchParams.get('code') ?? ''
}

/** Posts a form to an endpoint of the authorization server. */
export function post(endpoint: string, form: Changes | string, headers: Record<string, string> = {}) {
  const given =
    typeof form === 'string'
      ? form
      : Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = String(new URLSearchParams(given))
  return anonymousClient().fetch(`/auth/oauth2/${endpoint}`, { method: 'POST', headers: { ...type, ...headers }, body })
}

type Credentials = { id: string; secret: string | null }

/** How an app proves who it is, in the form. */
export const proof = ({ id, secret }: Credentials): Changes => ({ client_id: id, client_secret: secret ?? undefined })

export const exchange = (app: Credentials, code: string, changes: Changes = {}): Promise<Response> =>
  post('token', {
    grant_type: 'authorization_code',
    ...proof(app),
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...changes,
  })

export const refreshAs = (app: Credentials, refreshToken: string, changes: Changes = {}): Promise<Response> =>
  post('token', { grant_type: 'refresh_token', ...proof(app), refresh_token: refreshToken, ...changes })

/** The tokens of an app that the person allows these scopes. */
export async function connect(user: RegisteredUser, app: Credentials, scope?: string): Promise<TokenResponse> {
  const code = await codeFor(user, app, scope === undefined ? {} : { scope })
  const response = await exchange(app, code)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

/** The status, and the error code of RFC 6749 or of a problem. */
export async function errorOf(response: Response): Promise<[number, string | undefined]> {
  const body = await response.json<{ error?: string; code?: string }>()
  return [response.status, body.error ?? body.code]
}
