import { randomBytes } from 'node:crypto'
import { type Keyring, open, readKeyring, seal } from './seal.ts'

/** A keyring with a new key in front, which seals from then on; the others go on opening what they sealed. */
export function addKey(dataKeys: string): string {
  const numbers = [...readKeyring(dataKeys).keys()].map((id) => Number(/^k(\d+)$/.exec(id)?.[1] ?? 0))
  return `k${Math.max(...numbers) + 1}:${randomBytes(32).toString('base64')},${dataKeys}`
}

export type Sealed = { id: number; sealed_address: string }

/** Selects the addresses after `cursor` that another key than the current one seals. */
export function selectOutdated(keyring: Keyring, cursor: number, limit: number): string {
  return `SELECT id, sealed_address FROM users WHERE id > ${cursor} AND ${isOutdated(keyring)} ORDER BY id LIMIT ${limit}`
}

/** The statements that seal these addresses with the current key. One that has changed meanwhile stays as it is. */
export function resealing(keyring: Keyring, rows: readonly Sealed[]): string {
  const statements = rows.map(({ id, sealed_address: sealed }) => {
    const context = `email:${id}`
    const renewed = seal(keyring, open(keyring, sealed, context), context, randomBytes(12))
    return `UPDATE users SET sealed_address = '${renewed}' WHERE id = ${id} AND ${isOutdated(keyring)}`
  })
  return statements.join(';\n')
}

/** Seals carry the id of their key in front of a dot. */
function isOutdated(keyring: Keyring): string {
  const [current] = [...keyring.keys()]
  return `sealed_address NOT GLOB '${current}.*'`
}
