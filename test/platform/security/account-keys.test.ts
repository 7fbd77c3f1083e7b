import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { destroyKeys, openFor, sealFor } from '../../../src/platform/security/account-keys.ts'
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

test('nothing that was sealed with a destroyed key can be read, also after its copy is restored', async () => {
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
