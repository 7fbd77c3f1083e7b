import { createHash, randomBytes } from 'node:crypto'
import type { AppWithSecret } from '../../src/client/client.ts'
import { fetchInTime } from '../fetch-in-time.ts'
import type { Person } from './logins.ts'
import { ensure } from './story.ts'

const REDIRECT = 'http://127.0.0.1/callback'
const TIMEOUT_MS = 15_000

type Tokens = { access_token: string; refresh_token: string; scope: string }

export const registerApp = ({ client }: Person): Promise<AppWithSecret> =>
  client.registerApp({ name: 'Birdhouse', website: '', description: '', redirectUris: [REDIRECT], kind: 'public' })

/** An app asks ada to let it read and publish. She allows it, and it exchanges the code for tokens. */
export async function allowApp({ client, url, id }: Person, app: AppWithSecret): Promise<Tokens> {
  const verifier = randomBytes(32).toString('base64url')
  const request = new URLSearchParams({
    response_type: 'code',
    client_id: app.id,
    redirect_uri: REDIRECT.replace('/callback', ':50123/callback'),
    scope: 'posts:read posts:write accounts:read offline_access',
    state: 'demo',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const page = await fetchInTime(`${url}/auth/oauth2/authorize?${request}`, { redirect: 'manual' }, TIMEOUT_MS)
  ensure(page.status === 303, 'the browser is sent to the page where ada decides')
  const asked = await client.readAuthorization({ request: String(request) })
  ensure(asked.app.name === 'Birdhouse' && asked.next === 'ask', 'the page names the app, and asks')
  const { returnTo } = await client.allowApp({ request: String(request), accountId: id })
  const code = new URL(returnTo).searchParams.get('code') ?? ''
  const redirect_uri = request.get('redirect_uri') ?? ''
  const form = { grant_type: 'authorization_code', client_id: app.id, code, redirect_uri, code_verifier: verifier }
  const response = await fetchInTime(
    `${url}/auth/oauth2/token`,
    { method: 'POST', body: new URLSearchParams(form) },
    TIMEOUT_MS,
  )
  ensure(response.status === 200, `the app gets tokens, not ${response.status}`)
  return (await response.json()) as Tokens
}

const asApp = (person: Person, { access_token }: Tokens, path: string, init: RequestInit = {}) =>
  fetchInTime(
    `${person.url}/v1${path}`,
    { ...init, headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' } },
    TIMEOUT_MS,
  )

export async function actAsApp(ada: Person, tokens: Tokens): Promise<void> {
  const body = JSON.stringify({ text: 'Sent from Birdhouse' })
  const posted = await asApp(ada, tokens, '/posts', { method: 'POST', body })
  ensure(posted.status === 201, `the app posts as ada, not ${posted.status}`)
  for (const path of ['/notifications', '/me/sessions', '/me/identity', '/apps'])
    ensure((await asApp(ada, tokens, path)).status === 403, `the app gets 403 for ${path}`)
}

export async function removeApp(ada: Person, app: AppWithSecret, tokens: Tokens): Promise<void> {
  const { items } = await ada.client.listAllowedApps()
  ensure(items[0]?.name === 'Birdhouse', 'ada sees the app')
  await ada.client.removeAllowedApp({ appId: app.id })
  const { status } = await asApp(ada, tokens, '/accounts/me')
  ensure(status === 401, `its token ends at once, not ${status}`)
}
