import { env } from 'cloudflare:workers'
import type { z } from '@hono/zod-openapi'
import { expect } from 'vitest'
import { declaredFailures } from '../../src/platform/failures.ts'
import { Problem } from '../../src/platform/http/problems.ts'
import { BASE_URL, fetchWith, randomAddress } from '../support/client.ts'

// The sweeps make more requests than the rate limit allows.
export const unlimited = { ...env, REQUESTS_PER_MINUTE: '1000000' }

export type Call = {
  method: string
  path: string
  token?: string | null
  json?: unknown
  body?: BodyInit
  headers?: Record<string, string>
  bindings?: object
}
export type Answer = { status: number; headers: Headers; code: string | null; body: unknown }

/** Sends a request from a new client address, and checks the security headers and the form of problems. */
export async function call(sent: Call): Promise<Answer> {
  const { method, path, token, json, body, headers: given, bindings = unlimited } = sent
  const headers = new Headers(given)
  if (!headers.has('cf-connecting-ip')) headers.set('cf-connecting-ip', randomAddress())
  if (token) headers.set('authorization', `Bearer ${token}`)
  if (json !== undefined) headers.set('content-type', 'application/json')
  const init = { method, headers, body: json === undefined ? body : JSON.stringify(json) }
  const response = await fetchWith(bindings, path, init)
  const text = response.webSocket ? '' : new TextDecoder().decode(await response.arrayBuffer())
  response.webSocket?.accept()
  response.webSocket?.close()
  expectSafe(method, path, response)
  const isProblem = response.status >= 400
  const parsed = isProblem ? problemOf(path, response, text) : parse(response, text)
  return {
    status: response.status,
    headers: response.headers,
    code: isProblem ? (parsed as z.infer<typeof Problem>).code : null,
    body: parsed,
  }
}

const expectedHeaders = {
  'strict-transport-security': /^max-age=\d{8,}/,
  'x-content-type-options': /^nosniff$/,
  'content-security-policy': /default-src 'none'/,
  'referrer-policy': /^no-referrer$/,
  'x-frame-options': /^DENY$/,
  'cache-control': /no-store|no-cache|max-age/,
  'x-request-id': /./,
  'access-control-allow-origin': /^\*$/,
}

function expectSafe(method: string, path: string, { status, headers }: Response): void {
  if (status === 101) return // these headers protect pages, and a socket is not a page
  const missing = Object.entries(expectedHeaders).filter(([name, form]) => !form.test(headers.get(name) ?? ''))
  const revealing = ['server', 'x-powered-by'].filter((name) => headers.has(name))
  const problems = [...missing.map(([name]) => name), ...revealing]
  if (status >= 400 && !headers.get('cache-control')?.includes('no-store')) problems.push('cache-control of an error')
  if ((status >= 400 || method === 'GET') && headers.has('x-bookmarks')) problems.push('bookmarks without a write')
  expect({ method, path, problems }).toEqual({ method, path, problems: [] })
}

function problemOf(path: string, response: Response, text: string): z.infer<typeof Problem> {
  const problem = Problem.strict().parse(JSON.parse(text))
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(problem.instance).toBe(new URL(BASE_URL + path).pathname)
  const kind = declaredFailures().find(({ code }) => code === problem.code)
  expect(kind).toMatchObject({ code: problem.code, status: problem.status, title: problem.title })
  expect([response.status, problem.type]).toEqual([problem.status, `${BASE_URL}/errors/${problem.code}`])
  return problem
}

function parse({ headers, status }: Response, text: string): unknown {
  const type = headers.get('content-type')
  if (text === '') return null
  if (!type?.startsWith('application/json')) return text
  expect({ status, type }).toEqual({ status, type: expect.stringMatching(/^application\/json(; charset=utf-8)?$/i) })
  return JSON.parse(text)
}
