import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { accountIdsOf } from '../../../src/services/identity/queries.ts'
import { mailedToken, registeredUser } from '../../support/actors.ts'
import { register, verify } from '../../support/auth.ts'

/** A context with its own cost counters; `done` waits for its deferred work. */
function request(bindings: Partial<Env> = {}) {
  const deferred: Promise<unknown>[] = []
  const ctx = createContext({ env: { ...env, ...bindings }, waitUntil: (work) => deferred.push(work) })
  return { ctx, done: () => Promise.all(deferred) }
}

test('handles resolve to account ids, and KV answers a repeated lookup within an hour without a query', async () => {
  const [ada, bob] = await Promise.all([registeredUser('ada_h'), registeredUser('bob_h')])
  const put = vi.spyOn(env.CACHE, 'put')
  const first = request()
  const found = await accountIdsOf(first.ctx, ['ada_h', 'nobody_h', 'bob_h', 'ada_h'])
  expect(found).toEqual(
    new Map([
      ['ada_h', ada.id],
      ['bob_h', bob.id],
    ]),
  )
  expect(first.ctx.cost).toMatchObject({ trips: 1, cacheReads: 1 })
  await first.done()
  expect(put).toHaveBeenCalledWith('handle:ada_h', ada.id, { expirationTtl: 3_600 })
  put.mockRestore()
  const second = request()
  expect(await accountIdsOf(second.ctx, ['ada_h', 'bob_h'])).toEqual(found)
  expect(second.ctx.cost).toMatchObject({ trips: 0, cacheReads: 1 })
})

test('an unverified handle resolves to no account, and to the new account right after verification', async () => {
  await register('carl_h')
  const early = request()
  expect(await accountIdsOf(early.ctx, ['carl_h'])).toEqual(new Map())
  await early.done()
  await verify(await mailedToken('carl_h'))
  expect((await accountIdsOf(request().ctx, ['carl_h'])).size).toBe(1)
})

test('handles are looked up in the directory while KV is down', async () => {
  const dora = await registeredUser('dora_h')
  const down = vi.fn().mockRejectedValue(new Error('KV is down'))
  const { ctx, done } = request({ CACHE: { get: down, put: down } as unknown as KVNamespace })
  expect(await accountIdsOf(ctx, ['dora_h'])).toEqual(new Map([['dora_h', dora.id]]))
  await done()
  expect(down).toHaveBeenCalledTimes(2)
})

test('a malformed KV entry for a handle is ignored, and the handle still resolves', async () => {
  const eve = await registeredUser('eve_h')
  await env.CACHE.put('handle:eve_h', 'not an id')
  expect(await accountIdsOf(request().ctx, ['eve_h'])).toEqual(new Map([['eve_h', eve.id]]))
})

test('looking up hundreds of handles takes one KV read and one database query', async () => {
  const fay = await registeredUser('fay_h')
  const { ctx } = request()
  const unknown = Array.from({ length: 300 }, (_, i) => `unknown_${i}`)
  expect(await accountIdsOf(ctx, [...unknown, 'fay_h'])).toEqual(new Map([['fay_h', fay.id]]))
  expect(ctx.cost).toMatchObject({ trips: 1, cacheReads: 1 })
  expect(await accountIdsOf(request().ctx, [])).toEqual(new Map())
})
