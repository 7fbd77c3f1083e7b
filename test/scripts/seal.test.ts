import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { blindIndex, open, readKeyring, seal, steadyIv } from '../../scripts/seal.ts'
import { configOf, type Env } from '../../src/platform/config.ts'
import * as worker from '../../src/platform/security/crypto.ts'

const config = configOf(env as Env)
const keys = readKeyring(config.DATA_KEYS)
const [plain, context] = ['élise@people.example', 'email:123']

test('the Worker opens what a script sealed, and no other context does', async () => {
  const sealed = seal(keys, plain, context, steadyIv(keys, plain, context))
  expect(await worker.open(config, sealed, context)).toBe(plain)
  await expect(worker.open(config, sealed, 'email:124')).rejects.toThrow()
})

test('a script opens what the Worker sealed, and nothing that was changed', async () => {
  const sealed = await worker.seal(config, plain, context)
  expect(open(keys, sealed, context)).toBe(plain)
  expect(() => open(keys, sealed, 'email:124')).toThrow()
  expect(() => open(keys, `k9${sealed.slice(2)}`, context)).toThrow('DATA_KEYS lacks the key k9')
})

test('scripts and Worker look an address up by the same index', async () => {
  expect(blindIndex(config.INDEX_KEY, 'email', plain)).toBe(await worker.blindIndex(config, 'email', plain))
})

test('a steady iv differs with the text and with the context', () => {
  const ivs = [steadyIv(keys, plain, context), steadyIv(keys, plain, 'email:124'), steadyIv(keys, 'x@y.zz', context)]
  expect(new Set(ivs.map((iv) => iv.toString('hex'))).size).toBe(3)
  expect(steadyIv(keys, plain, context)).toEqual(ivs[0])
})
