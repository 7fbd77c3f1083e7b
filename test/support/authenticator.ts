type Site = { origin: string; rpId: string }
type Flaws = Partial<Site> & {
  /** Whether the authenticator verified the person. */
  verifies?: boolean
  count?: number
  challenge?: string
  userHandle?: string
}
type Request = { challenge: string; rpId: string }
type Creation = { challenge: string; rp: { id: string }; user: { id: string } }

const encoder = new TextEncoder()
const base64url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
const sha256 = async (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

/** An authenticator with one passkey (ES256), for tests without a browser. `flaws` make it lie. */
export async function softwareAuthenticator(origin: string) {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { privateKey, publicKey } = pair as CryptoKeyPair
  const point = new Uint8Array((await crypto.subtle.exportKey('raw', publicKey)) as ArrayBuffer)
  const credentialId = crypto.getRandomValues(new Uint8Array(16))
  const id = base64url(credentialId)
  const [x, y] = [point.subarray(1, 33), point.subarray(33)]
  // A COSE key: EC2, ES256, P-256.
  const key = joined(Uint8Array.of(0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32), x, Uint8Array.of(0x22, 0x58, 32), y)
  let userHandle: string | undefined
  let count = 0

  /** WebAuthn, level 3, section 6.1. */
  async function authenticatorData(
    rpId: string,
    { verifies = true, count: given }: Flaws,
    attested = new Uint8Array(),
  ) {
    const flags = 0x01 | (verifies ? 0x04 : 0) | (attested.length > 0 ? 0x40 : 0)
    const counter = new Uint8Array(4)
    new DataView(counter.buffer).setUint32(0, given ?? ++count)
    return joined(await sha256(encoder.encode(rpId)), Uint8Array.of(flags), counter, attested)
  }

  function clientData(type: string, challenge: string, flaws: Flaws) {
    const data = { type, challenge: flaws.challenge ?? challenge, origin: flaws.origin ?? origin, crossOrigin: false }
    return encoder.encode(JSON.stringify(data))
  }

  return {
    id,
    publicKey: base64url(key),
    /** Like `navigator.credentials.create`. */
    async create({ challenge, rp, user }: Creation, flaws: Flaws = {}) {
      userHandle = user.id
      const attested = joined(new Uint8Array(16), Uint8Array.of(0, credentialId.length), credentialId, key)
      const data = await authenticatorData(flaws.rpId ?? rp.id, flaws, attested)
      const attestationObject = joined(
        Uint8Array.of(0xa3),
        text('fmt'),
        text('none'),
        text('attStmt'),
        Uint8Array.of(0xa0),
        text('authData'),
        Uint8Array.of(0x58, data.length),
        data,
      )
      const clientDataJSON = base64url(clientData('webauthn.create', challenge, flaws))
      return { id, clientDataJSON, attestationObject: base64url(attestationObject) }
    },
    /** Like `navigator.credentials.get`. */
    async get({ challenge, rpId }: Request, flaws: Flaws = {}) {
      const data = await authenticatorData(flaws.rpId ?? rpId, flaws)
      const client = clientData('webauthn.get', challenge, flaws)
      const signed = joined(data, await sha256(client))
      const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, signed)
      return {
        id,
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(toDer(new Uint8Array(signature))),
        userHandle: flaws.userHandle ?? userHandle,
      }
    },
  }
}

export type Authenticator = Awaited<ReturnType<typeof softwareAuthenticator>>

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** A short text in CBOR. */
const text = (value: string) => joined(Uint8Array.of(0x60 + value.length), encoder.encode(value))

/** WebCrypto returns r and s side by side, WebAuthn signs in ASN.1. */
function toDer(signature: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array) => {
    const start = bytes.findIndex((byte) => byte !== 0)
    const digits = bytes.subarray(start)
    const padded = digits[0]! > 0x7f ? joined(Uint8Array.of(0), digits) : digits
    return joined(Uint8Array.of(2, padded.length), padded)
  }
  const content = joined(integer(signature.subarray(0, 32)), integer(signature.subarray(32)))
  return joined(Uint8Array.of(0x30, content.length), content)
}
