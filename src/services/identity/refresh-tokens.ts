import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'

export const RefreshToken = z.string().max(200)

const PURPOSE = 'refresh token'

/** The signature distinguishes our old tokens from forged ones, so that old tokens need not be stored. */
export async function encodeRefreshToken(ctx: SystemCtx, sessionId: string, secret: string): Promise<string> {
  const text = `${sessionId}.${secret}`
  return `${text}.${await sign(ctx.config, PURPOSE, text)}`
}

export async function decodeRefreshToken(
  ctx: SystemCtx,
  token: string,
): Promise<{ sessionId: string; secret: string } | null> {
  const [sessionId, secret, signature, ...more] = token.split('.')
  if (!sessionId || !secret || !signature || more.length > 0) return null
  const ours = await verifySignature(ctx.config, PURPOSE, `${sessionId}.${secret}`, signature)
  return ours ? { sessionId, secret } : null
}
