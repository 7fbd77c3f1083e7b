import { Failure } from '../../platform/failures.ts'
import type { RequestCtx } from '../../platform/security/admit.ts'
import { verifyAccessToken } from '../../platform/security/tokens.ts'
import { loginOfRefreshToken } from '../../services/identity/app-tokens.ts'
import { signingKeys } from '../../services/identity/signing-keys.ts'

/** What a client presents to revoke or introspect; null if it is no token of ours. */
export async function presentedToken(ctx: RequestCtx, token: string) {
  const viewer = await verifyAccessToken(ctx, token, signingKeys).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'unauthorized') return null
    throw error
  })
  if (viewer) return { kind: 'access' as const, clientId: viewer.clientId, accountId: viewer.id, ...viewer }
  const login = token.length <= 200 ? await loginOfRefreshToken(ctx, token) : null
  return login && { kind: 'refresh' as const, clientId: String(login.appId), ...login }
}
