import { z } from '@hono/zod-openapi'
import { SignJWT } from 'jose/jwt/sign'
import { importJWK } from 'jose/key/import'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { vapidKey } from './variables.ts'

export const PushKey = z
  .object({ key: z.string().nullable().openapi({ description: 'Null if this server sends no pushes' }) })
  .openapi('PushKey', { example: { key: `B${'A'.repeat(86)}` } })

export async function readPushKey(ctx: UserCtx): Promise<z.infer<typeof PushKey>> {
  return { key: publicKey(ctx) }
}

function publicKey(ctx: SystemCtx): string | null {
  const key = vapidKey(ctx)
  if (!key) return null
  const [x, y] = [key.x, key.y].map((part) => Uint8Array.fromBase64(part, { alphabet: 'base64url' }))
  return Uint8Array.of(4, ...x!, ...y!).toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** The header that names this server to a push service (RFC 8292); null if this server sends no pushes. */
export async function vapidHeader(ctx: SystemCtx, endpoint: URL): Promise<string | null> {
  const key = vapidKey(ctx)
  if (!key) return null
  const seconds = Math.floor(ctx.now() / 1_000)
  const token = await new SignJWT({ aud: endpoint.origin, exp: seconds + 12 * 3_600, sub: ctx.config.BASE_URL })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .sign(await importJWK({ kty: 'EC', crv: 'P-256', ...key }, 'ES256'))
  return `vapid t=${token}, k=${publicKey(ctx)}`
}
