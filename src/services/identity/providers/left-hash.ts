/** The `at_hash` that belongs to an access token: the left half of its hash (OpenID Connect Core 3.1.3.6). */
export async function leftHash(idToken: string, accessToken: string): Promise<string> {
  const { alg } = JSON.parse(atob(idToken.split('.')[0]!.replaceAll('-', '+').replaceAll('_', '/')))
  const bits = /(256|384|512)$/.exec(String(alg))?.[1] ?? '512'
  const hash = new Uint8Array(await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(accessToken)))
  return hash.subarray(0, hash.length / 2).toBase64({ alphabet: 'base64url', omitPadding: true })
}
