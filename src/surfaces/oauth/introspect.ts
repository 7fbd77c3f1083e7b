import { decodeJwt } from 'jose/jwt/decode'
import type { RequestCtx } from '../../platform/security/admit.ts'
import { jwtIssuer } from '../../platform/security/tokens.ts'
import { authenticateEnabled } from '../../services/apps/clients.ts'
import { OAuthError } from '../../services/apps/oauth-error.ts'
import { isAccepted } from '../../services/identity/app-tokens.ts'
import type { Form } from './form.ts'
import { presentedToken } from './presented.ts'

const INACTIVE = { active: false }

/** Describes a token to the confidential client to which it was issued (RFC 7662). To others, it is not active. */
export async function introspectToken(ctx: RequestCtx, form: Form): Promise<object> {
  const app = await authenticateEnabled(ctx, form.proof)
  if (app.secret === null) throw new OAuthError('invalid_client', 'A public client cannot prove who it is')
  const text = form.require('token')
  const token = await presentedToken(ctx, text)
  if (token?.clientId !== app.id) return INACTIVE
  const { accountId: id, sessionId } = token
  const own = { active: true, client_id: app.id, sub: id, iss: jwtIssuer(ctx), scope: [...token.scopes].join(' ') }
  if (token.kind === 'refresh') {
    const isCurrent = token.expiresAt !== null && token.expiresAt > ctx.now()
    const isOpen = isCurrent && (await isAccepted(ctx, { id, sessionId, issuedAt: ctx.now() }))
    return isOpen ? { ...own, exp: Math.floor((token.expiresAt ?? 0) / 1_000) } : INACTIVE
  }
  if (!(await isAccepted(ctx, { id, sessionId, issuedAt: token.issuedAt }))) return INACTIVE
  const { exp, iat, aud, jti } = decodeJwt(text)
  return { ...own, token_type: 'Bearer', exp, iat, aud, jti }
}
