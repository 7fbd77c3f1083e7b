import { sha256 } from '../../platform/security/crypto.ts'

const SECRET_BYTES = 32

/** SHA-256 in base64url: what is stored of codes and secrets, and the S256 challenge of PKCE (RFC 7636, 4.2). */
export async function digest(text: string): Promise<string> {
  return (await sha256(text)).toBase64({ alphabet: 'base64url', omitPadding: true })
}

export function newSecret(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  return `${prefix}${bytes.toBase64({ alphabet: 'base64url', omitPadding: true })}`
}
