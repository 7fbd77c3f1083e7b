import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import {
  destroyKeys,
  openFor,
  RESEALING,
  type Resealing,
  resealKeys,
  sealFor,
} from '../../../src/platform/security/account-keys.ts'
import { unusedId } from '../../support/databases.ts'
import { contextWith } from '../../support/platform.ts'

const KEY = btoa('n'.repeat(32))
const keyOf = async (id: string) => (await env.KEYS.get(`accounts/${id}`))?.text()

test('a text is readable only with the key and the context for which it was sealed', async () => {
  const [ctx, ada, bob] = [contextWith(), unusedId(0), unusedId(1)]
  const sealed = await sealFor(ctx, ada, 'ada@example.com', 'address')
  expect(sealed).not.toContain('ada')
  expect(await openFor(ctx, ada, sealed, 'address')).toBe('ada@example.com')
  await sealFor(ctx, bob, 'bob@example.com', 'address')
  await expect(openFor(ctx, bob, sealed, 'address')).rejects.toThrow()
  await expect(openFor(ctx, ada, sealed, 'device')).rejects.toThrow()
})

test('concurrent first uses create one key', async () => {
  const [ctx, ada] = [contextWith(), unusedId(0)]
  const sealed = await Promise.all(Array.from({ length: 20 }, (_, i) => sealFor(ctx, ada, `text ${i}`, 'note')))
  const opened = await Promise.all(sealed.map((text) => openFor(ctx, ada, text, 'note')))
  expect(opened).toEqual(sealed.map((_, i) => `text ${i}`))
})

test('nothing that was sealed with a destroyed key can be read, even after its copy is restored', async () => {
  const [ctx, ada] = [contextWith(), unusedId(0)]
  const sealed = await sealFor(ctx, ada, 'ada@example.com', 'address')
  await destroyKeys(ctx, [ada])
  expect(await openFor(ctx, ada, sealed, 'address')).toBeNull()
  expect(await keyOf(ada)).toBeUndefined()
  await sealFor(ctx, ada, 'another', 'address')
  await expect(openFor(ctx, ada, sealed, 'address')).rejects.toThrow()
})

test('a key that an older DATA_KEYS entry sealed still opens, and new keys use the current entry', async () => {
  const [ctx, ada, bob] = [contextWith(), unusedId(0), unusedId(1)]
  const sealed = await sealFor(ctx, ada, 'ada@example.com', 'address')
  const rotated = contextWith({ DATA_KEYS: `k2:${KEY},${ctx.config.DATA_KEYS}` })
  expect(await openFor(rotated, ada, sealed, 'address')).toBe('ada@example.com')
  await sealFor(rotated, bob, 'bob@example.com', 'address')
  expect(await keyOf(bob)).toMatch(/^k2\./)
  expect((await env.KEYS.head(`accounts/${bob}`))?.customMetadata).toEqual({ sealedWith: 'k2' })
})

async function resealed(DATA_KEYS: string): Promise<Resealing | null> {
  await resealKeys(contextWith({ DATA_KEYS }))
  return env.CACHE.get<Resealing>(RESEALING, 'json')
}

test('after a rotation every key is sealed again, page by page, until a pass finds none', async () => {
  const [ctx, ada] = [contextWith(), unusedId(0)]
  const sealed = await sealFor(ctx, ada, 'ada@example.com', 'address')
  const others = Array.from({ length: 410 }, () => unusedId(1))
  await Promise.all(others.map((id) => sealFor(ctx, id, 'text', 'note')))
  const rotated = `k3:${KEY},k2:${KEY},${ctx.config.DATA_KEYS}`
  const first = await resealed(rotated)
  expect(first).toMatchObject({ key: 'k3', done: false })
  expect(first?.after).not.toBeNull()
  let runs = 1
  for (let last = first; !last?.done && runs < 30; runs++) last = await resealed(rotated)
  const left = (await env.KEYS.list({ include: ['customMetadata'] })).objects
  expect(left.filter(({ customMetadata }) => customMetadata?.sealedWith !== 'k3')).toEqual([])
  expect(runs).toBeLessThan(30)
  const only = contextWith({ DATA_KEYS: `k3:${KEY}` })
  expect(await openFor(only, ada, sealed, 'address')).toBe('ada@example.com')
})

test('a key that is destroyed while it is sealed again stays destroyed', async () => {
  const [ctx, ada] = [contextWith(), unusedId(0)]
  await sealFor(ctx, ada, 'ada@example.com', 'address')
  const rotated = contextWith({ DATA_KEYS: `k4:${KEY},k3:${KEY},k2:${KEY},${ctx.config.DATA_KEYS}` })
  const { KEYS } = rotated.env
  const slow = Object.assign(Object.create(KEYS), {
    list: KEYS.list.bind(KEYS),
    put: KEYS.put.bind(KEYS),
    get: async (name: string) => {
      const object = await KEYS.get(name)
      if (name === `accounts/${ada}`) await destroyKeys(ctx, [ada])
      return object
    },
  })
  for (let i = 0; i < 10; i++) await resealKeys({ ...rotated, env: { ...rotated.env, KEYS: slow } })
  expect(await keyOf(ada)).toBeUndefined()
})

test('a request reads the key of an account once, and forgets it when the key is destroyed', async () => {
  const [ctx, ada] = [contextWith(), unusedId(0)]
  const sealed = await sealFor(ctx, ada, 'ada@example.com', 'address')
  await sealFor(ctx, ada, 'another', 'note')
  expect(await openFor(ctx, ada, sealed, 'address')).toBe('ada@example.com')
  expect(ctx.cost.bucketCalls).toBe(2) // one that finds no key, and one that stores it
  await destroyKeys(ctx, [ada])
  expect(await openFor(ctx, ada, sealed, 'address')).toBeNull()
})
