import { exports } from 'cloudflare:workers'
import { expect, test } from 'vitest'

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const ask = (path: string, init: RequestInit = {}) =>
  exports.default.fetch(`https://social.test${path}`, { ...init, redirect: 'manual' })

async function kindOf(path: string, init?: RequestInit): Promise<string> {
  const response = await ask(path, init)
  const body = await response.text()
  const type = response.headers.get('content-type')
  if (type === 'application/problem+json; charset=utf-8') return `${response.status} ${JSON.parse(body).code}`
  return `${response.status} ${type ?? 'nothing'}`
}

test.each(['/', '/discover', '/@ada', '/@ada/followers', '/posts/1', '/nothing/here'])(
  'a browser that goes to %s gets the page',
  async (path) => {
    const page = await ask(path, { headers: browser })
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>SocialConnect</title>')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(page.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate')
    expect(await kindOf(path, { method: 'HEAD', headers: browser })).toBe('200 text/html; charset=utf-8')
  },
)

test('files of the pages are there for everybody, and are sent once', async () => {
  const script = await ask('/main.js')
  expect(script.headers.get('content-type')).toContain('javascript')
  expect((await script.text()).length).toBeGreaterThan(10_000)
  const headers = { 'if-none-match': script.headers.get('etag')! }
  expect((await ask('/main.js', { headers })).status).toBe(304)
  expect((await ask('/docs')).headers.get('location')).toBe('/docs/')
})

test.each(['/v1', '/v1/nothing', '/auth/nothing', '/.well-known/nothing'])(
  'nobody gets the page at %s, where the API answers',
  async (path) => expect(await kindOf(path, { headers: browser })).toBe('404 not_found'),
)

test('who does not ask for a page is told that there is nothing, whatever the method', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    expect(await kindOf('/v2/posts', { method })).toBe('404 not_found')
  }
})

test.each(['/', '/main.js', '/docs/'])('%s takes nothing, and says so as a problem', async (path) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect(await kindOf(path, { method, body: '{}' })).toBe('405 method_not_allowed')
  }
  expect((await ask(path, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
})
