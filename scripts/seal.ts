import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'

// What src/platform/security/crypto.ts does in the Worker, for scripts on Node; test/scripts/seal.test.ts holds the two together.

const IV_BYTES = 12
const TAG_BYTES = 16

export type Keyring = ReadonlyMap<string, Buffer>

/** The keys of `k2:<base64>,k1:<base64>` by their ids, the current one first. Throws when one is not of 32 bytes. */
export function readKeyring(dataKeys: string): Keyring {
  const entries = dataKeys.split(',').map((entry) => entry.trim().split(':', 2) as [string, string | undefined])
  return new Map(
    entries.map(([id, text = '']) => {
      const key = Buffer.from(text, 'base64')
      if (!/^\w+$/.test(id) || key.length !== 32) throw new Error(`DATA_KEYS has no key ${id} of 32 bytes in base64`)
      return [id, key]
    }),
  )
}

/** The id of the key that a text was sealed with. */
export const keyIdOf = (sealed: string): string => sealed.slice(0, sealed.indexOf('.'))

/** Seals `plain` with the current key. An `iv` must never serve for two different texts. */
export function seal(keys: Keyring, plain: string, context: string, iv: Buffer): string {
  const [[id, key]] = keys as unknown as [[string, Buffer]]
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  const bytes = Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${id}.${bytes.toString('base64url')}`
}

/** What was sealed, or an error when the text, its context or its key is not the right one. */
export function open(keys: Keyring, sealed: string, context: string): string {
  const key = keys.get(keyIdOf(sealed))
  if (!key) throw new Error(`DATA_KEYS lacks the key ${keyIdOf(sealed)}`)
  const bytes = Buffer.from(sealed.slice(sealed.indexOf('.') + 1), 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES))
  return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
}

/** An iv that is the same for the same text and context, so that a seeded row is the same in every run. */
export function steadyIv(keys: Keyring, plain: string, context: string): Buffer {
  const [[, key]] = keys as unknown as [[string, Buffer]]
  return createHmac('sha256', key).update(`${context}\n${plain}`).digest().subarray(0, IV_BYTES)
}

/** A keyed hash (hex) by which sealed data are looked up, of one purpose. */
export function blindIndex(indexKey: string, purpose: string, value: string): string {
  const key = hkdfSync('sha256', Buffer.from(indexKey, 'base64'), '', `index:${purpose}`, 32)
  return createHmac('sha256', Buffer.from(key)).update(value).digest('hex')
}
