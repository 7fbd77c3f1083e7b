import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Tokens } from '../../src/services/identity/views.ts'
import { inMode } from './modes.ts'
import { OidcProvider, type Person } from './oidc-provider.ts'

let made = 0

/** A new provider with a host of its own, which all outbound calls of the test reach, and the Worker that offers it. */
export async function withProvider(mode: Parameters<typeof inMode>[0] = 'open', more: object = {}) {
  made += 1
  const provider = await OidcProvider.at(`http://127.0.0.1:${9_100 + made}`)
  return { provider, ...worldOf([provider], mode, more) }
}

/** The Worker that offers these providers. */
export function worldOf(providers: OidcProvider[], mode: Parameters<typeof inMode>[0] = 'open', more: object = {}) {
  const hosts = new Map(providers.map((provider) => [new URL(provider.issuer).host, provider]))
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    const provider = hosts.get(new URL(String(url)).host)
    if (!provider) throw new Error(`unexpected call of ${url}`)
    return provider.respond(new Request(String(url), init))
  })
  const world = inMode(mode, {
    OIDC_PROVIDERS: JSON.stringify(providers.map(({ entry }) => entry)),
    OUTBOUND_LOCAL_HOSTS: [...hosts.keys()].join(','),
    ...more,
  })
  const { call } = world
  const post = (path: string, json?: object, token?: string) =>
    call('POST', `/v1${path}`, { ...(json && { json }), ...(token && { token }) })
  const start = async (provider: OidcProvider): Promise<Started> =>
    (await post(`/auth/providers/${provider.entry.id}/start`)).json()
  /** Starts a login, agrees at the provider, and sends the callback, changed by `change`. */
  const logInAs = async (provider: OidcProvider, person: Person, change: object = {}) => {
    const { url, flow } = await start(provider)
    return post('/auth/providers/callback', { flow, ...provider.agree(url, person), ...change })
  }
  const pendingOf = async (response: Response) => (await response.json<{ registration: Pending }>()).registration
  const registerAs = async (provider: OidcProvider, person: Person, handle: string, rest: object = {}) => {
    const { token } = await pendingOf(await logInAs(provider, person))
    return post('/auth/providers/register', { token, handle, ...rest })
  }
  /** Starts to link or confirm as the holder of `token`, agrees, and sends the callback. */
  const finishAs = async (
    provider: OidcProvider,
    person: Person,
    token: string,
    act: 'link' | 'confirm' = 'link',
    rest: object = {},
  ) => {
    const started = await post(`/me/providers/${provider.entry.id}/${act}`, undefined, token)
    if (!started.ok) return started
    const { url, flow } = await started.json<Started>()
    return post('/auth/providers/finish', { flow, ...provider.agree(url, person), ...rest }, token)
  }
  return { ...world, post, start, logInAs, registerAs, finishAs, pendingOf }
}

export type Started = { url: string; flow: string }
type Pending = {
  token: string
  handle: string | null
  displayName: string | null
  email: string | null
  isEmailVerified: boolean
}

let people = 0

/** A person whose address the provider has verified. */
export function newPerson(name = `oidc_${++people}_${crypto.randomUUID().slice(0, 6)}`): Person & { email: string } {
  return { sub: `subject of ${name}`, email: `${name}@example.com`, email_verified: true, preferred_username: name }
}

export const tokensOf = (response: Response): Promise<Tokens> => response.json<Tokens>()

/** The status, the code and the texts of a problem. */
export async function problemOf(response: Response): Promise<{ status: number; code: string; text: string }> {
  const { code, detail = '', errors = [] } = await response.json<Problem>()
  const texts = [detail, ...errors.map(({ field, message }) => `${field} ${message}`)]
  return { status: response.status, code, text: texts.join(' ') }
}
type Problem = { code: string; detail?: string; errors?: { field: string; message: string }[] }

/** Links an identity to an account without a flow. */
export async function insertLink(accountId: Id, issuer: string, sub: string): Promise<void> {
  await env.DIRECTORY.prepare(
    'INSERT INTO credentials (id, account_id, provider_id, user_id, created_at, updated_at) VALUES (?, ?, ?, ?, 1, 1)',
  )
    .bind(crypto.randomUUID(), sub, issuer, Number(accountId))
    .run()
}

/** What a login, a registration or a link would change in the directory. */
export async function stored(): Promise<string> {
  const tables = ['users', 'handles', 'credentials', 'sessions']
  const counts = tables.map((table) => `(select count(*) from ${table})`).join(` || ' ' || `)
  return (await env.DIRECTORY.prepare(
    `select ${counts} || ' ' || (select max(updated_at) from credentials where provider_id <> 'credential') n`,
  ).first<string>('n'))!
}
