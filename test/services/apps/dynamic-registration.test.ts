import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { deleteUnusedApps } from '../../../src/services/apps/dynamic-registration.ts'
import { MAX_SELF_REGISTERED } from '../../../src/services/apps/lifetimes.ts'
import type { AllowedApps } from '../../../src/services/apps/views.ts'
import { registeredUser } from '../../support/actors.ts'
import { directoryNumber } from '../../support/auth.ts'
import { fetchWith } from '../../support/client.ts'
import { connect, errorOf, REDIRECT } from '../../support/oauth.ts'
import { contextWith } from '../../support/platform.ts'

test('an address registers at most 20 apps an hour, and the server has a bounded number of them', async () => {
  const bindings = { ...env, DYNAMIC_REGISTRATION: 'on' }
  const body = JSON.stringify({ client_name: 'Bot', client_uri: 'https://', redirect_uris: [REDIRECT] })
  const register = (address: string) => {
    const headers = { 'content-type': 'application/json', 'cf-connecting-ip': address }
    return fetchWith(bindings, '/auth/oauth2/register', { method: 'POST', headers, body })
  }
  for (let i = 0; i < 20; i++) expect((await register('192.0.2.78')).status).toBe(201)
  expect((await register('192.0.2.78')).status).toBe(429)
  const own = 'from apps where owner_id is null'
  expect(await directoryNumber(`select count(website) as n ${own}`)).toBe(0)
  await env.DIRECTORY.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${MAX_SELF_REGISTERED})
     insert into apps (id, name, description, redirect_uris, created_at) select -i, 'x', '', '[]', 0 from n`,
  ).run()
  expect((await register('192.0.2.79')).status).toBe(503)
  await env.DIRECTORY.prepare(`delete ${own}`).run()
})

test('where the operator allows it, apps register themselves, and unused ones are deleted after a week', async () => {
  const bindings = { ...env, DYNAMIC_REGISTRATION: 'on' }
  const register = async (metadata: object) => {
    const headers = { 'content-type': 'application/json', 'cf-connecting-ip': '192.0.2.77' }
    return fetchWith(bindings, '/auth/oauth2/register', { method: 'POST', headers, body: JSON.stringify(metadata) })
  }
  const response = await register({ client_name: 'Bot', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' })
  expect(response.status).toBe(201)
  const { client_id } = await response.json<{ client_id: string }>()
  const ada = await registeredUser()
  expect((await connect(ada, { id: client_id, secret: null })).access_token).toBeTruthy()
  const allowed = await (await ada.fetch('/v1/me/apps')).json<AllowedApps>()
  expect(allowed.items.find(({ id }) => id === client_id)).toMatchObject({ developer: null, name: 'Bot' })
  expect(await errorOf(await register({ client_name: 'Bot', redirect_uris: ['http://x.example/'] }))).toEqual([
    400,
    'invalid_redirect_uri',
  ])
  expect(await errorOf(await register({ redirect_uris: [REDIRECT] }))).toEqual([400, 'invalid_client_metadata'])
  const unused = await (await register({ client_name: 'Old', redirect_uris: [REDIRECT] })).json<{
    client_id: string
    client_secret: string
  }>()
  expect(unused.client_secret).toMatch(/^scs_/)
  const ctx = contextWith()
  await deleteUnusedApps({ ...ctx, now: () => Date.now() + 8 * 86_400_000 })
  const left = await env.DIRECTORY.prepare('select id from apps where owner_id is null').all<{ id: number }>()
  expect(left.results.map(({ id }) => String(id))).toEqual([client_id])
})
