import { expect, test } from 'vitest'
import { declaredFailures } from '../../../src/platform/failures.ts'
import '../../../src/registry.ts'
import { anonymousClient, BASE_URL } from '../../support/client.ts'

const read = (path: string, accept?: string) => anonymousClient().fetch(path, { headers: accept ? { accept } : {} })

test.each(declaredFailures())(
  'the type of the problem $code leads to a page for people and one for programs',
  async (kind) => {
    const path = `/errors/${kind.code}`
    const page = await read(path, 'text/html,*/*')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    const html = await page.text()
    for (const part of [kind.code, `${kind.status}: `, 'What to do:']) expect(html).toContain(part)
    expect(html).not.toContain('`')
    expect(await (await read(path)).json()).toEqual({ type: BASE_URL + path, ...kind })
  },
)

test('the list of errors names every code, and each problem refers to its own page', async () => {
  const { errors } = await (await read('/errors')).json<{ errors: { code: string; type: string }[] }>()
  expect(errors.map(({ code }) => code)).toEqual(declaredFailures().map(({ code }) => code))
  const problem = await (await read('/v1/posts/1')).json<{ type: string; code: string }>()
  expect(errors).toContainEqual(expect.objectContaining({ type: problem.type, code: problem.code }))
  expect(await (await read('/errors', 'text/html')).text()).toContain('<h2 id="quota_exceeded">')
})

test('an unknown error has no page, not even for browsers, and the pages run no scripts', async () => {
  for (const accept of ['text/html', 'application/json']) {
    const response = await read('/errors/unheard_of', accept)
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'not_found' }])
  }
  const { headers } = await read('/errors/invalid', 'text/html')
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'/)
  expect(headers.get('vary')).toBe('accept')
})

test('every failure says in whole sentences what it means and what to do', () => {
  const texts = declaredFailures().flatMap(({ meaning, action }) => [meaning, action])
  expect(texts.filter((text) => !/^[A-Z].{20,}\.$/.test(text))).toEqual([])
})
