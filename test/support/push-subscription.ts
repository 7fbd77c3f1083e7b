import { createECDH, randomBytes } from 'node:crypto'

/** A subscription of a new browser. */
export function pushSubscription() {
  const keys = createECDH('prime256v1')
  return {
    endpoint: `https://push.example.net/${crypto.randomUUID()}`,
    keys: { p256dh: keys.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') },
  }
}
