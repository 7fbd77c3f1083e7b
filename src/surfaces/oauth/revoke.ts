import type { RequestCtx } from '../../platform/security/admit.ts'
import { authenticateApp } from '../../services/apps/clients.ts'
import { OAuthError } from '../../services/apps/oauth-error.ts'
import { endAppLogin } from '../../services/identity/app-tokens.ts'
import type { Form } from './form.ts'
import { presentedToken } from './presented.ts'

/** Ends the login of a token, and so all of its tokens (RFC 7009). An unknown token is a success. */
export async function revokeToken(ctx: RequestCtx, form: Form): Promise<null> {
  const app = await authenticateApp(ctx, form.proof)
  const token = await presentedToken(ctx, form.require('token'))
  if (!token) return null
  if (token.clientId !== app.id) throw new OAuthError('invalid_grant', 'The token belongs to another client')
  await endAppLogin(ctx, token, 'app_ended')
  return null
}
