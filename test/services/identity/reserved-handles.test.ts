import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Bindings } from '../../../src/platform/config.ts'
import { createContext } from '../../../src/platform/context.ts'
import { accountIdsOf } from '../../../src/services/identity/views.ts'
import { mailedToken, PASSWORD, register, stranger } from '../../support/people.ts'

/** A context, and what it defers until `done`. */
function request(bindings: Partial<Bindings> = {}) {
  const deferred: Promise<unknown>[] = []
  const ctx = createContext({ env: { ...env, ...bindings }, waitUntil: (work) => deferred.push(work) })
  return { ctx, done: () => Promise.all(deferred) }
}

test('handles lead to the accounts that hold them, and the second lookup asks no database', async () => {
  const [ada, bob] = await Promise.all([register('ada_h'), register('bob_h')])
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
  const second = request()
  expect(await accountIdsOf(second.ctx, ['ada_h', 'bob_h'])).toEqual(found)
  expect(second.ctx.cost).toMatchObject({ trips: 0, cacheReads: 1 })
  const { keys } = await env.CACHE.list({ prefix: 'handle:ada_h' })
  const seconds = keys[0]!.expiration! - Date.now() / 1_000
  expect([seconds > 3_500, seconds < 3_610]).toEqual([true, true])
})

test('a handle that is not verified leads nowhere, and as soon as it is, to its account', async () => {
  const json = { handle: 'carl_h', email: 'carl_h@example.com', password: PASSWORD }
  await stranger().fetch('/v1/auth/register', { method: 'POST', json })
  const early = request()
  expect(await accountIdsOf(early.ctx, ['carl_h'])).toEqual(new Map())
  await early.done()
  const token = await mailedToken('carl_h')
  await stranger().fetch('/v1/auth/verify', { method: 'POST', json: { token, password: PASSWORD } })
  expect((await accountIdsOf(request().ctx, ['carl_h'])).size).toBe(1)
})

test('without the cache the directory answers', async () => {
  const dora = await register('dora_h')
  const down = vi.fn().mockRejectedValue(new Error('KV is down'))
  const { ctx, done } = request({ CACHE: { get: down, put: down } as unknown as KVNamespace })
  expect(await accountIdsOf(ctx, ['dora_h'])).toEqual(new Map([['dora_h', dora.id]]))
  await done()
  expect(down).toHaveBeenCalledTimes(2)
})

test('a cache that holds something else is not believed', async () => {
  const eve = await register('eve_h')
  await env.CACHE.put('handle:eve_h', 'not an id')
  expect(await accountIdsOf(request().ctx, ['eve_h'])).toEqual(new Map([['eve_h', eve.id]]))
})

test('hundreds of handles are looked up in one question each to cache and directory', async () => {
  const fay = await register('fay_h')
  const { ctx } = request()
  const many = Array.from({ length: 300 }, (_, i) => `unknown_${i}`)
  expect(await accountIdsOf(ctx, [...many, 'fay_h'])).toEqual(new Map([['fay_h', fay.id]]))
  expect(ctx.cost).toMatchObject({ trips: 1, cacheReads: 1 })
  expect(await accountIdsOf(request().ctx, [])).toEqual(new Map())
})
