import { beforeAll, expect, test } from 'vitest'
import type { AppWithSecret } from '../../../src/services/apps/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { BASE_URL } from '../../support/client.ts'
import { allow, authorize, REDIRECT, registeredApp, requestOf } from '../../support/oauth.ts'
import { expectNoReturn } from '../../support/oauth-attacks.ts'

let ada: RegisteredUser
let app: AppWithSecret
let other: AppWithSecret
let native: AppWithSecret

beforeAll(async () => {
  ada = await registeredUser()
  const bob = await registeredUser()
  app = await registeredApp(bob)
  other = await registeredApp(bob, 'confidential', { name: 'Other' })
  native = await registeredApp(bob, 'public', { redirectUris: ['http://127.0.0.1/cb', 'http://[::1]:9000/cb'] })
})

const redirects: Record<string, string> = {
  'another host': 'https://evil.example/cb',
  'a path below': `${REDIRECT}/x`,
  'path traversal': 'https://birdhouse.example/x/../cb',
  'encoded path traversal': 'https://birdhouse.example/x/%2e%2e/cb',
  'a trailing slash': `${REDIRECT}/`,
  'another case of the path': 'https://birdhouse.example/CB',
  'another case of the host': 'https://Birdhouse.example/cb',
  'a user name': 'https://birdhouse.example@evil.example/cb',
  'a user name before the right host': 'https://evil@birdhouse.example/cb',
  'a backslash': 'https://birdhouse.example\\@evil.example/cb',
  'a subdomain': 'https://cb.birdhouse.example/cb',
  'a longer host': 'https://birdhouse.example.evil.example/cb',
  'a port': 'https://birdhouse.example:8443/cb',
  'the default port': 'https://birdhouse.example:443/cb',
  'no TLS': 'http://birdhouse.example/cb',
  'another query': `${REDIRECT}?next=https://evil.example`,
  'a fragment': `${REDIRECT}#x`,
  'a script': 'javascript:alert(1)//birdhouse.example/cb',
  'a line break': `${REDIRECT}\r\nset-cookie: a=b`,
  'a trailing dot in the host': 'https://birdhouse.example./cb',
  'an empty redirect': '',
}

test.each(Object.entries(redirects))('a redirect with %s is refused on a page', async (_, redirect_uri) => {
  await expectNoReturn(ada, requestOf(app, { redirect_uri }))
})

test('a redirect that is missing or repeated, and a client that is unknown, missing or repeated, get a page', async () => {
  const valid = requestOf(app)
  await expectNoReturn(ada, requestOf(app, { redirect_uri: undefined }))
  await expectNoReturn(ada, `${valid}&redirect_uri=${encodeURIComponent(REDIRECT)}`)
  await expectNoReturn(ada, `${valid}&redirect_uri=${encodeURIComponent('https://evil.example/cb')}`)
  await expectNoReturn(ada, requestOf(app, { client_id: '1970324836974593' }))
  await expectNoReturn(ada, requestOf(app, { client_id: "1' or '1'='1" }))
  await expectNoReturn(ada, requestOf(app, { client_id: undefined }))
  await expectNoReturn(ada, `${valid}&client_id=${app.id}`)
  await expectNoReturn(ada, `client_id=${other.id}&${valid}`)
})

test('the page of a refused request escapes HTML in the name of the app', async () => {
  const bob = await registeredUser()
  const script = await registeredApp(bob, 'public', { name: '<script>alert(1)</script>' })
  const page = await authorize(requestOf(script, { redirect_uri: 'https://evil.example/' }))
  expect(await page.text()).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('a loopback redirect may have any port, but no other host, path or scheme', async () => {
  for (const redirect_uri of [
    'http://127.0.0.1/cb',
    'http://127.0.0.1:51234/cb',
    'http://[::1]:1/cb',
    'http://[::1]/cb',
  ]) {
    expect((await authorize(requestOf(native, { redirect_uri }))).status).toBe(303)
    expect((await allow(ada, requestOf(native, { redirect_uri }))).href).toMatch(redirect_uri)
  }
  const wrong = [
    'http://localhost:51234/cb',
    'http://127.0.0.1:51234/other',
    'https://127.0.0.1:51234/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.1:51234@evil.example/cb',
    'http://127.0.0.1:evil/cb',
    'http://127.0.0.1:/cb',
    'http://127.1/cb',
    'http://127.0.0.1:1:2/cb',
  ]
  for (const redirect_uri of wrong) await expectNoReturn(ada, requestOf(native, { redirect_uri }))
})

test('a registration with an unsafe redirect or a name of the staff is refused', async () => {
  const flawed = [
    'http://birdhouse.example/cb',
    'https://birdhouse.example/cb#x',
    'https://*.birdhouse.example/cb',
    'https://user@birdhouse.example/cb',
    'https://birdhouse.example/a/../cb',
    'https://Birdhouse.example/cb',
    'https://birdhouse.example:443/cb',
    'http://localhost/cb',
    'http://127.0.0.1.evil.example/cb',
    'javascript:alert(1)',
    'com.example.app:/cb',
    `${BASE_URL}/cb`,
    'https://birdhouse.example/c b',
    '//birdhouse.example/cb',
  ]
  const register = (more: object) =>
    ada.fetch('/v1/apps', { method: 'POST', json: { name: 'A', redirectUris: [REDIRECT], kind: 'public', ...more } })
  for (const uri of flawed) {
    const response = await register({ redirectUris: [REDIRECT, uri] })
    expect([uri, await response.json<object>()]).toMatchObject([uri, { errors: [{ field: 'redirectUris.1' }] }])
  }
  for (const name of ['SocialConnect', 'Official support', '\u202e', '  '])
    expect((await register({ name })).status).toBe(422)
})
