import { randomBytes } from 'node:crypto'
import type { Config } from '../src/platform/config.ts'
import { open, seal } from '../src/platform/security/crypto.ts'

/** A configuration with only the keys, because `src/platform/security/crypto.ts` reads no other variable. */
export const cryptoConfig = (keys: Partial<Pick<Config, 'DATA_KEYS' | 'INDEX_KEY'>>): Config => keys as Config

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

export type Sealed = { id: number; sealed_address: string }

/** Selects the addresses after `cursor` that are not sealed with the current key. */
export function selectOutdated(dataKeys: string, cursor: number, limit: number): string {
  return `SELECT id, sealed_address FROM users WHERE id > ${cursor} AND ${isOutdated(dataKeys)} ORDER BY id LIMIT ${limit}`
}

/** The statements that seal these addresses with the current key, unless another run has sealed them since. */
export async function resealing(dataKeys: string, rows: readonly Sealed[]): Promise<string> {
  const config = cryptoConfig({ DATA_KEYS: dataKeys })
  const statements = rows.map(async ({ id, sealed_address: sealed }) => {
    const context = `email:${id}`
    const renewed = await seal(config, await open(config, sealed, context), context)
    return `UPDATE users SET sealed_address = '${renewed}' WHERE id = ${id} AND ${isOutdated(dataKeys)}`
  })
  return (await Promise.all(statements)).join(';\n')
}

/** An encrypted text starts with the id of its key and a dot. */
const isOutdated = (dataKeys: string) => `sealed_address NOT GLOB '${keyIds(dataKeys)[0]}.*'`
