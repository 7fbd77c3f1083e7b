import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { type Config, configOf } from '../../../src/platform/config.ts'
import { blindIndex, open, seal, sign, verifySignature } from '../../../src/platform/security/crypto.ts'

const config = configOf(env)
const key = (letter: string) => btoa(letter.repeat(32))
const withKeys = (keys: string): Config => ({ ...config, DATA_KEYS: keys })

test('a sealed text opens only with the context that it was sealed with', async () => {
  const sealed = await seal(config, 'ada@example.org', 'email:1')
  expect(sealed).toMatch(/^k1\.[\w-]+$/)
  expect(sealed).not.toContain(btoa('ada').slice(0, 4))
  expect(await open(config, sealed, 'email:1')).toBe('ada@example.org')
  await expect(open(config, sealed, 'email:2')).rejects.toThrow()
})

test('sealing the same text twice gives different bytes', async () => {
  const seals = await Promise.all(Array.from({ length: 50 }, () => seal(config, 'same', 'c')))
  expect(new Set(seals).size).toBe(50)
})

test('texts of any script and length are unchanged after sealing and opening', async () => {
  for (const plain of ['', 'é', '👩‍👩‍👧', '\u0000', 'x'.repeat(100_000)]) {
    expect(await open(config, await seal(config, plain, 'c'), 'c')).toBe(plain)
  }
})

test('after a key rotation the new key seals and both keys open', async () => {
  const before = withKeys(`k1:${key('a')}`)
  const after = withKeys(`k2:${key('b')},k1:${key('a')}`)
  const old = await seal(before, 'text', 'c')
  expect(await open(after, old, 'c')).toBe('text')
  const fresh = await seal(after, 'text', 'c')
  expect(fresh).toMatch(/^k2\./)
  expect(await open(after, fresh, 'c')).toBe('text')
  await expect(open(withKeys(`k2:${key('b')}`), old, 'c')).rejects.toThrow('no key k1')
})

test('a sealed text with any character changed does not open', async () => {
  const sealed = await seal(config, 'text', 'c')
  const start = sealed.indexOf('.') + 1
  for (let at = start; at < sealed.length; at++) {
    const flipped = sealed[at] === 'A' ? 'Q' : 'A'
    await expect(open(config, sealed.slice(0, at) + flipped + sealed.slice(at + 1), 'c')).rejects.toThrow()
  }
  for (const broken of ['', 'k1', 'k1.', '.AAAA', 'text', `k9.${sealed.slice(start)}`, sealed.slice(0, -4)]) {
    await expect(open(config, broken, 'c')).rejects.toThrow()
  }
})

test('the error of a key of the wrong length names the key and not its bytes', async () => {
  const error = await seal(withKeys(`k7:${btoa('short')}`), 'text', 'c').catch((thrown: Error) => thrown.message)
  expect(error).toBe('DATA_KEYS has no key k7 of 32 bytes in base64')
})

test('a blind index is stable and differs by purpose, value and key', async () => {
  const index = await blindIndex(config, 'email', 'ada@example.org')
  expect(index).toMatch(/^[0-9a-f]{64}$/)
  expect(await blindIndex({ ...config }, 'email', 'ada@example.org')).toBe(index)
  const others = await Promise.all([
    blindIndex(config, 'phone', 'ada@example.org'),
    blindIndex(config, 'email', 'bob@example.org'),
    blindIndex({ ...config, INDEX_KEY: key('z') }, 'email', 'ada@example.org'),
  ])
  expect(new Set([index, ...others]).size).toBe(4)
})

test('a signature is valid only for its text, purpose and secret', async () => {
  const signature = await sign(config, 'link', 'post 1')
  expect(await verifySignature(config, 'link', 'post 1', signature)).toBe(true)
  expect(await verifySignature(config, 'link', 'post 2', signature)).toBe(false)
  expect(await verifySignature(config, 'ticket', 'post 1', signature)).toBe(false)
  expect(await verifySignature({ ...config, AUTH_SECRET: 'another secret' }, 'link', 'post 1', signature)).toBe(false)
  const sameBytes = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(42) + 1)
  for (const forged of [
    sameBytes,
    '',
    'AAAA',
    '!'.repeat(43),
    `${signature}=`,
    signature.slice(0, -1),
    'A'.repeat(43),
  ]) {
    expect(await verifySignature(config, 'link', 'post 1', forged)).toBe(false)
  }
})
