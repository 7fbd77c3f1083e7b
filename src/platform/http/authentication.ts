import { createMiddleware } from 'hono/factory'
import type { Ctx, Viewer } from '../context.ts'
import { type ApiKeySource, verifyApiKey } from '../security/api-keys.ts'
import { type KeySource, rememberedViewer, tokenMissing, unauthorized, verifyAccessToken } from '../security/tokens.ts'
import type { AppEnv } from './app-env.ts'

const AUTHORIZATION = 'The Authorization header must be: Bearer TOKEN'

/** Reads the access token or API key, if there is one. An invalid one is refused even on public operations. */
export function authentication(keys: KeySource, apiKeys: ApiKeySource) {
  return createMiddleware<AppEnv>(async function authenticate(c, next) {
    const header = c.req.header('authorization')
    if (header !== undefined) {
      const ctx = c.get('ctx')
      const apiKey = /^Bearer (sc_\w{1,4096})$/i.exec(header)?.[1]
      ctx.viewer = apiKey ? await verifyApiKey(ctx, apiKey, apiKeys) : await viewerOf(ctx, header, keys)
    }
    await next()
  })
}

/** Throws `unauthorized` for a malformed, forged or expired token. `admit` checks whether the token was revoked. */
export async function viewerOf(ctx: Ctx, authorization: string, keys: KeySource): Promise<Viewer> {
  return rememberedIn(ctx, authorization) ?? (await verifyAccessToken(ctx, tokenIn(authorization), keys))
}

/** Most requests have a token that this isolate has verified before. Such a token is not verified again. */
function rememberedIn(ctx: Ctx, header: string): Viewer | null {
  return /^Bearer /i.test(header) ? rememberedViewer(ctx, header.slice('Bearer '.length)) : null
}

function tokenIn(header: string): string {
  const token = /^Bearer ([\w.-]{20,4096})$/i.exec(header)?.[1]
  if (!token) throw (/^Bearer\b/i.test(header) ? unauthorized : tokenMissing)(AUTHORIZATION)
  return token
}
