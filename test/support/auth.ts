import { env } from 'cloudflare:workers'
import type { Tokens } from '../../src/services/identity/views.ts'
import { PASSWORD, type RegisteredUser } from './actors.ts'
import { anonymousClient, postJson } from './client.ts'

type Credentials = { email?: string; password?: string }

export const register = (
  handle: string,
  { email = `${handle}@example.com`, password = PASSWORD }: Credentials = {},
): Promise<Response> => postJson('/v1/auth/register', { handle, email, password })

/** Verifies in another client than the one that registered. */
export const verify = (token: string, password = PASSWORD): Promise<Response> =>
  postJson('/v1/auth/verify', { token, password })

export const registrationTokenOf = async (response: Response): Promise<string> =>
  (await response.json<{ registrationToken: string }>()).registrationToken

export const logIn = (
  identifier: string,
  password = PASSWORD,
  by = anonymousClient(),
  deviceToken?: string,
): Promise<Response> => postJson('/v1/auth/login', { identifier, password, deviceToken }, by)

export const loggedIn = async (user: RegisteredUser): Promise<Tokens> => (await logIn(user.handle)).json()

export const refreshWith = (refreshToken: string): Promise<Response> => postJson('/v1/auth/refresh', { refreshToken })

/** Reads the account that an access token belongs to. */
export const readMe = (accessToken: string): Promise<Response> =>
  anonymousClient().fetch('/v1/accounts/me', { headers: { authorization: `Bearer ${accessToken}` } })

export const statusWith = async (accessToken: string): Promise<number> => (await readMe(accessToken)).status

/** The status of a response and, if the body is a problem document, the code of the problem. */
export const outcomeOf = async (response: Response): Promise<[status: number, code?: string]> => [
  response.status,
  (await response.json<{ code?: string }>()).code,
]

type Claims = { sub: string; sid: string; role: string; scope: string }

export function claimsOf(accessToken: string): Claims {
  return JSON.parse(atob(accessToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')))
}

/** A socket opened with an access token. */
export async function socketWith(accessToken: string): Promise<{ closed: Promise<CloseEvent> }> {
  const headers = { upgrade: 'websocket', authorization: `Bearer ${accessToken}` }
  const { webSocket } = await anonymousClient().fetch('/v1/realtime', { headers })
  webSocket!.accept()
  return { closed: new Promise((resolve) => webSocket!.addEventListener('close', resolve)) }
}

/** The first row of a query on the directory. */
export function directoryRow<Row>(query: string, ...values: unknown[]): Promise<Row | null> {
  return env.DIRECTORY.prepare(query)
    .bind(...values)
    .first<Row>()
}

/** The column `n` of the first row of a query on the directory. */
export async function directoryNumber(query: string, ...values: unknown[]): Promise<number> {
  const row = await directoryRow<{ n: number }>(query, ...values)
  return row!.n
}
