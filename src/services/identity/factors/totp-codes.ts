const PERIOD_SECONDS = 30

/** The step (RFC 6238: the number of the 30 seconds) of a right code, up to one step early or late; null if it is wrong. */
export async function stepOf(secret: string, code: string, now: number): Promise<number | null> {
  const { Secret, TOTP } = await import('otpauth')
  const totp = new TOTP({ secret: Secret.fromBase32(secret), period: PERIOD_SECONDS })
  const delta = totp.validate({ token: code, timestamp: now, window: 1 })
  return delta === null ? null : Math.floor(now / 1_000 / PERIOD_SECONDS) + delta
}

/** A new secret (base32), and the URI that authenticator apps read from a QR code. */
export async function newSecret(issuer: string, label: string): Promise<{ secret: string; uri: string }> {
  const { Secret, TOTP } = await import('otpauth')
  const totp = new TOTP({ issuer, label, secret: new Secret({ size: 20 }), period: PERIOD_SECONDS })
  return { secret: totp.secret.base32, uri: totp.toString() }
}
