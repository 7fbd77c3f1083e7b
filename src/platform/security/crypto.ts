import type { Config } from '../config.ts'

const IV_BYTES = 12
const encoder = new TextEncoder()
const keys = new WeakMap<Config, Map<string, CryptoKey>>()
const keyrings = new WeakMap<Config, Map<string, string>>()

export async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', typeof data === 'string' ? encoder.encode(data) : data))
}

/** SHA-256 in base64url: what is stored of codes and secrets, and the S256 challenge of PKCE (RFC 7636, 4.2). */
export async function digest(text: string): Promise<string> {
  return (await sha256(text)).toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** Encrypts with AES-256-GCM and the first key. `open` fails unless it gets the same `context`, like `email:123`. */
export async function seal(config: Config, plain: string, context: string): Promise<string> {
  const id = currentKeyId(config)
  return `${id}.${await sealWith(await dataKey(config, id), plain, context)}`
}

/** The id of the key that `seal` uses. */
export function currentKeyId(config: Config): string {
  const [id = ''] = keyring(config).keys()
  return id
}

/** Decrypts with any key of the keyring. Throws when the text, its context or its key is wrong. */
export async function open(config: Config, sealed: string, context: string): Promise<string> {
  const [, id, text] = /^(\w+)\.([\w-]+)$/.exec(sealed) ?? []
  if (id === undefined || text === undefined) throw new Error('the text was not sealed by this system')
  return openWith(await dataKey(config, id), text, context)
}

/** Encrypts with AES-256-GCM (base64url, after a random IV). `openWith` fails unless it gets the same `context`. */
export async function sealWith(key: CryptoKey, plain: string, context: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await crypto.subtle.encrypt(aesGcm(iv, context), key, encoder.encode(plain))
  const bytes = new Uint8Array(IV_BYTES + sealed.byteLength)
  bytes.set(iv)
  bytes.set(new Uint8Array(sealed), IV_BYTES)
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** Throws when the text, its context or its key is wrong. */
export async function openWith(key: CryptoKey, sealed: string, context: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(sealed, { alphabet: 'base64url' })
  const plain = await crypto.subtle.decrypt(aesGcm(bytes.subarray(0, IV_BYTES), context), key, bytes.subarray(IV_BYTES))
  return new TextDecoder().decode(plain)
}

/** A key for `sealWith` and `openWith`, from 32 bytes. */
export function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** A keyed hash (hex) to look up encrypted data. Each `purpose` has its own key, derived from INDEX_KEY. */
export async function blindIndex(config: Config, purpose: string, value: string): Promise<string> {
  const key = await derived(config, `index:${purpose}`, () => Uint8Array.fromBase64(config.INDEX_KEY))
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(value))).toHex()
}

/** The HMAC-SHA-256 (base64url) of a text, with a key derived from AUTH_SECRET for this `purpose`. */
export async function sign(config: Config, purpose: string, text: string): Promise<string> {
  const key = await signingKey(config, purpose)
  const signature = await crypto.subtle.sign('HMAC', key, encoder.encode(text))
  return new Uint8Array(signature).toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** Compares in constant time. */
export async function verifySignature(
  config: Config,
  purpose: string,
  text: string,
  signature: string,
): Promise<boolean> {
  if (!/^[\w-]{42}[AEIMQUYcgkosw048]$/.test(signature)) return false // each signature has one form
  const bytes = Uint8Array.fromBase64(signature, { alphabet: 'base64url' })
  return crypto.subtle.verify('HMAC', await signingKey(config, purpose), bytes, encoder.encode(text))
}

function aesGcm(iv: Uint8Array, context: string) {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
}

/** `k2:<base64>,k1:<base64>`: `seal` uses the first key, `open` any of them. */
function keyring(config: Config): Map<string, string> {
  const known = keyrings.get(config)
  if (known) return known
  const read = new Map(
    config.DATA_KEYS.split(',').map((entry): [string, string] => {
      const [id = '', key = ''] = entry.trim().split(':', 2)
      return [id, key]
    }),
  )
  keyrings.set(config, read)
  return read
}

function dataKey(config: Config, id: string): Promise<CryptoKey> {
  return remembered(config, `data:${id}`, async () => {
    const bytes = Uint8Array.fromBase64(keyring(config).get(id) ?? '')
    if (bytes.length !== 32) throw new Error(`DATA_KEYS has no key ${id} of 32 bytes in base64`)
    return importKey(bytes)
  })
}

function signingKey(config: Config, purpose: string): Promise<CryptoKey> {
  return derived(config, `sign:${purpose}`, () => Uint8Array.from(encoder.encode(config.AUTH_SECRET)))
}

function derived(config: Config, info: string, secret: () => Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return remembered(config, info, async () => {
    const base = await crypto.subtle.importKey('raw', secret(), 'HKDF', false, ['deriveKey'])
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(info) }
    return crypto.subtle.deriveKey(hkdf, base, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, [
      'sign',
      'verify',
    ])
  })
}

/** Caches the key and not its promise, because a promise belongs to the request that created it. */
async function remembered(config: Config, name: string, make: () => Promise<CryptoKey>): Promise<CryptoKey> {
  const known = keys.get(config) ?? new Map<string, CryptoKey>()
  keys.set(config, known)
  const key = known.get(name) ?? (await make())
  known.set(name, key)
  return key
}
