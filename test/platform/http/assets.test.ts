import { exports } from 'cloudflare:workers'
import { expect, test } from 'vitest'

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const request = (path: string, init: RequestInit = {}) =>
  exports.default.fetch(`https://social.test${path}`, { ...init, redirect: 'manual' })

async function kindOf(path: string, init?: RequestInit): Promise<string> {
  const response = await request(path, init)
  const body = await response.text()
  const type = response.headers.get('content-type')
  if (type === 'application/problem+json; charset=utf-8') return `${response.status} ${JSON.parse(body).code}`
  return `${response.status} ${type ?? 'nothing'}`
}

test.each(['/', '/discover', '/@ada', '/@ada/followers', '/posts/1', '/nothing/here'])(
  'a browser that navigates to %s gets the page of the web client',
  async (path) => {
    const page = await request(path, { headers: browser })
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>SocialConnect</title>')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(page.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate')
    expect(await kindOf(path, { method: 'HEAD', headers: browser })).toBe('200 text/html; charset=utf-8')
  },
)

test('assets are served to everyone and revalidated by their ETag', async () => {
  const script = await request('/main.js')
  expect(script.headers.get('content-type')).toContain('javascript')
  expect((await script.text()).length).toBeGreaterThan(10_000)
  const headers = { 'if-none-match': script.headers.get('etag')! }
  expect((await request('/main.js', { headers })).status).toBe(304)
  expect((await request('/docs')).headers.get('location')).toBe('/docs/')
})

test.each(['/v1', '/v1/nothing', '/auth/nothing', '/.well-known/nothing'])(
  'a browser that navigates to the unknown API path %s gets a 404 problem instead of a page',
  async (path) => expect(await kindOf(path, { headers: browser })).toBe('404 not_found'),
)

test('a request to an unknown path that does not accept HTML returns 404 for every method', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    expect(await kindOf('/v2/posts', { method })).toBe('404 not_found')
  }
})

test.each(['/', '/main.js', '/docs/'])('the asset %s allows only the methods GET, HEAD and OPTIONS', async (path) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect(await kindOf(path, { method, body: '{}' })).toBe('405 method_not_allowed')
  }
  expect((await request(path, { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
})
