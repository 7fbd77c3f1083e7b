const RECORD_SIZE = 4_096
/** Push services accept 4,096 bytes: a header of 86, the text with its delimiter, and a tag of 16. */
const MAX_PLAIN = RECORD_SIZE - 86 - 16
const encoder = new TextEncoder()

/** What a browser gives a server so that only it can read pushes: an uncompressed P-256 point, and 16 random bytes. */
export type Receiver = { p256dh: Uint8Array<ArrayBuffer>; auth: Uint8Array<ArrayBuffer> }
type Random = { salt: Uint8Array<ArrayBuffer>; keys: CryptoKeyPair }

const curve = { name: 'ECDH', namedCurve: 'P-256' }

async function random(): Promise<Random> {
  const keys = await crypto.subtle.generateKey(curve, true, ['deriveBits'])
  if (!('publicKey' in keys)) throw new Error('no key pair was made')
  return { salt: crypto.getRandomValues(new Uint8Array(16)), keys }
}

/** Throws if the bytes are no point of the curve. */
export function importPoint(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, curve, true, [])
}

/** Encrypts a push as one record of `aes128gcm` (RFC 8291, RFC 8188). `given` is for the example of the RFC. */
export async function encryptPush(text: string, to: Receiver, given?: Random): Promise<Uint8Array<ArrayBuffer>> {
  const { salt, keys } = given ?? (await random())
  const plain = bytesOf(text, Uint8Array.of(2))
  if (plain.length > MAX_PLAIN) throw new Error('the push is too long')
  const ours = await rawKey(keys.publicKey)
  const shared = { name: 'ECDH', public: await importPoint(to.p256dh) }
  const secret = new Uint8Array(await crypto.subtle.deriveBits(shared, keys.privateKey, 256))
  const info = bytesOf('WebPush: info\0', to.p256dh, ours)
  const material = await expand(secret, to.auth, info, 32)
  const key = await expand(material, salt, bytesOf('Content-Encoding: aes128gcm\0'), 16)
  const iv = await expand(material, salt, bytesOf('Content-Encoding: nonce\0'), 12)
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, aes, plain)
  const size = new Uint8Array(4)
  new DataView(size.buffer).setUint32(0, RECORD_SIZE)
  return bytesOf(salt, size, Uint8Array.of(ours.length), ours, new Uint8Array(sealed))
}

async function rawKey(key: CryptoKey): Promise<Uint8Array> {
  const raw = await crypto.subtle.exportKey('raw', key)
  if (!(raw instanceof ArrayBuffer)) throw new Error('the key cannot be exported')
  return new Uint8Array(raw)
}

async function expand(
  secret: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  info: Uint8Array<ArrayBuffer>,
  length: number,
) {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, length * 8))
}

function bytesOf(...parts: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const chunks = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
