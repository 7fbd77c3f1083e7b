const BYTES = 32
const PREFIX = 'whsec_'
const encoder = new TextEncoder()

/** 32 random bytes, as Standard Webhooks writes secrets. */
export function newSecret(): string {
  return PREFIX + crypto.getRandomValues(new Uint8Array(BYTES)).toBase64()
}

/** The signatures of a message with each of the secrets (Standard Webhooks, symmetric). */
export async function signaturesOf(secrets: readonly string[], signed: string): Promise<string> {
  const signatures = await Promise.all(
    secrets.map(async (secret) => {
      const bytes = Uint8Array.fromBase64(secret.slice(PREFIX.length))
      const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return `v1,${new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(signed))).toBase64()}`
    }),
  )
  return signatures.join(' ')
}
