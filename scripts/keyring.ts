import { randomBytes } from 'node:crypto'
import type { Config } from '../src/platform/config.ts'

/** A configuration with only the keys, because `src/platform/security/crypto.ts` reads no other variable. */
export const cryptoConfig = (keys: Partial<Pick<Config, 'DATA_KEYS' | 'INDEX_KEY' | 'AUTH_SECRET'>>): Config =>
  keys as Config

/** The ids of the keys in `k2:<base64>,k1:<base64>`, the current one first. Throws unless each key has 32 bytes. */
export function keyIds(dataKeys: string): string[] {
  return dataKeys.split(',').map((entry) => {
    const [id = '', key = ''] = entry.trim().split(':', 2)
    const isKey = /^\w+$/.test(id) && Buffer.from(key, 'base64').length === 32
    if (!isKey) throw new Error(`DATA_KEYS has no key ${id} of 32 bytes in base64`)
    return id
  })
}

/** The keyring with a new key in front, which encrypts from then on. Older keys still decrypt what they encrypted. */
export function addKey(dataKeys: string): string {
  const numbers = keyIds(dataKeys).map((id) => Number(/^k(\d+)$/.exec(id)?.[1] ?? 0))
  return `k${Math.max(...numbers) + 1}:${randomBytes(32).toString('base64')},${dataKeys}`
}
