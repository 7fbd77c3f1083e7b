const SECRET_BYTES = 32

export function newSecret(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  return `${prefix}${bytes.toBase64({ alphabet: 'base64url', omitPadding: true })}`
}
