import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { notFound } from '../../../src/platform/failures.ts'
import { operation } from '../../../src/platform/http/operation.ts'
import { requestsInFlight } from '../../../src/platform/observability/pending.ts'
import { defineLimit } from '../../../src/platform/security/rate-limit.ts'
import { revokeSessions } from '../../../src/platform/security/revocation.ts'
import { newViewer, smallApp } from '../../support/edge.ts'
import { contextWith } from '../../support/platform.ts'

const ran = vi.fn()
const read = async () => {
  ran()
  return { text: 'read' }
}
const Text = z.object({ text: z.string() })
const common = { method: 'get', access: 'user', returns: Text, summary: 'Read' } as const
const few = defineLimit('earlyReads', { quota: 1_000, window: 60 })
const { call } = smallApp([
  operation({ ...common, id: 'read', path: '/plain', run: read }),
  operation({ ...common, id: 'fail', path: '/failing', run: () => read().then(() => Promise.reject(notFound())) }),
  operation({ ...common, id: 'wait', path: '/waiting', run: async () => ({ text: String(await ran()) }) }),
  operation({ ...common, id: 'effect', path: '/effect', effect: 'It counts', run: read }),
  operation({ ...common, id: 'limited', path: '/limited', limit: few, run: read }),
  operation({ ...common, id: 'staff', path: '/staff', access: 'admin', run: read }),
  operation({ ...common, id: 'write', path: '/written', method: 'put', run: read }),
])

let logged: ReturnType<typeof vi.spyOn>
const seen = { rejections: 0 }
const onRejection = () => {
  seen.rejections += 1
}
beforeEach(() => {
  ran.mockReset()
  logged = vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 })
  addEventListener('unhandledrejection', onRejection)
})
afterEach(() => {
  vi.restoreAllMocks()
  removeEventListener('unhandledrejection', onRejection)
  expect(seen.rejections).toBe(0)
})

/** A feed that answers when `open` is called. */
function slowFeed() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const changesSince = vi.fn(async (cursor: number | null) => {
    await promise
    return env.REVOCATIONS.getByName('all').changesSince(cursor)
  })
  return { bindings: { ...env, REVOCATIONS: { getByName: () => ({ changesSince }) } }, changesSince, open: resolve }
}

test('a read runs while its request is admitted, and is answered only after that', async () => {
  const { bindings, changesSince, open } = slowFeed()
  const answered = vi.fn()
  const response = call(newViewer(), '/v1/plain', {}, bindings).finally(answered)
  await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1))
  expect(changesSince).toHaveBeenCalledTimes(1)
  expect(answered).not.toHaveBeenCalled()
  open()
  expect(await (await response).json()).toEqual({ text: 'read' })
})

test.each(['/v1/plain', '/v1/failing', '/v1/plain?unknown=1'])(
  'a refused request for %s is answered with the refusal, and what was read is dropped',
  async (path) => {
    const ada = newViewer()
    await revokeSessions(contextWith(), ada.id, ['login 1'])
    const refused = await call(ada, path)
    expect(refused.status).toBe(401)
    expect(refused.headers.has('etag')).toBe(false)
    expect(await refused.json()).toMatchObject({ code: 'unauthorized' })
  },
)

test('the read of a refused request counts as in flight until it ends', async () => {
  const ada = newViewer()
  await revokeSessions(contextWith(), ada.id, ['login 1'])
  const { promise, resolve } = Promise.withResolvers<void>()
  ran.mockReturnValue(promise)
  const before = requestsInFlight.count()
  const refused = call(ada, '/v1/waiting')
  await vi.waitFor(() => expect(logged).toHaveBeenCalledWith(expect.stringContaining('"status":401')))
  expect(requestsInFlight.count()).toBe(before + 1)
  resolve()
  expect((await refused).status).toBe(401)
  expect(requestsInFlight.count()).toBe(before)
})

test.each([
  ['PUT', '/v1/written'],
  ['GET', '/v1/effect'],
  ['GET', '/v1/limited'],
])('%s %s runs only after its request was admitted', async (method, path) => {
  const { bindings, changesSince, open } = slowFeed()
  const response = call(newViewer(), path, { method }, bindings)
  await vi.waitFor(() => expect(changesSince).toHaveBeenCalledTimes(1))
  expect(ran).not.toHaveBeenCalled()
  open()
  expect((await response).status).toBe(200)
  expect(ran).toHaveBeenCalledTimes(1)
  const ada = newViewer()
  await revokeSessions(contextWith(), ada.id, ['login 1'])
  expect((await call(ada, path, { method })).status).toBe(401)
  expect(ran).toHaveBeenCalledTimes(1)
})

test('nothing is read for callers without a token or the role, or above their limit', async () => {
  expect((await call(null, '/v1/plain')).status).toBe(401)
  expect((await call(newViewer(), '/v1/staff')).status).toBe(403)
  expect(ran).not.toHaveBeenCalled()
  const ada = newViewer()
  for (let n = 0; n < 100; n++) expect((await call(ada, '/v1/plain')).status).toBe(200)
  expect((await call(ada, '/v1/plain')).status).toBe(429)
  expect(ran).toHaveBeenCalledTimes(100)
})
