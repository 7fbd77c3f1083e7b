import type { RequestCtx } from '../../platform/security/admit.ts'
import { jwtAudience } from '../../platform/security/tokens.ts'
import { authenticateEnabled } from '../../services/apps/clients.ts'
import { redeemCode } from '../../services/apps/codes.ts'
import { OAuthError } from '../../services/apps/oauth-error.ts'
import type { KnownApp } from '../../services/apps/queries.ts'
import { type AppTokens, endAppLogin, issueAppTokens, refreshAppTokens } from '../../services/identity/app-tokens.ts'
import type { Form } from './form.ts'

/** The token endpoint (RFC 6749, 3.2). Throws `OAuthError`. */
export async function issueToken(ctx: RequestCtx, form: Form): Promise<object> {
  const app = await authenticateEnabled(ctx, form.proof)
  const resource = form.read('resource')
  if (resource && resource !== jwtAudience(ctx)) throw new OAuthError('invalid_target', 'The resource is unknown')
  const grant = form.require('grant_type')
  if (grant === 'authorization_code') return responseOf(await exchange(ctx, app, form))
  if (grant === 'refresh_token') return responseOf(await refresh(ctx, app, form))
  throw new OAuthError('unsupported_grant_type', 'Use authorization_code or refresh_token')
}

async function exchange(ctx: RequestCtx, { id: appId }: KnownApp, form: Form): Promise<AppTokens | null> {
  const code = form.require('code')
  const redirectUri = form.require('redirect_uri')
  const redeemed = await redeemCode(ctx, { appId, code, redirectUri, verifier: form.require('code_verifier') })
  if (redeemed === null) return null
  if ('reused' in redeemed) {
    ctx.log.warn('an authorization code was reused', { accountId: redeemed.reused.accountId, appId })
    await endAppLogin(ctx, redeemed.reused, 'code_reused')
    return null
  }
  const { accountId, sessionId, scopes, nonce, authTime } = redeemed.opened
  const app = { appId, scopes, authTime, ...(nonce !== null && { nonce }) }
  return issueAppTokens(ctx, { accountId, sessionId, app })
}

/** The app may ask for fewer scopes than it was granted, never for more (RFC 6749, 6). */
async function refresh(ctx: RequestCtx, { id: appId }: KnownApp, form: Form): Promise<AppTokens | null> {
  const wanted = form.read('scope')?.split(' ').filter(Boolean)
  const narrow = (granted: string[]) => {
    if (wanted?.some((scope) => !granted.includes(scope))) {
      throw new OAuthError('invalid_scope', 'A refresh cannot add a scope')
    }
    return wanted && wanted.length > 0 ? wanted : granted
  }
  return refreshAppTokens(ctx, { appId, refreshToken: form.require('refresh_token'), narrow })
}

function responseOf(tokens: AppTokens | null): object {
  if (!tokens) throw new OAuthError('invalid_grant', 'The code or token is invalid, expired, revoked or used')
  return {
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresIn,
    scope: tokens.scope,
    ...(tokens.refreshToken && { refresh_token: tokens.refreshToken }),
    ...(tokens.idToken && { id_token: tokens.idToken }),
  }
}
