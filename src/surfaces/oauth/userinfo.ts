import { eq } from 'drizzle-orm'
import type { Context } from 'hono'
import { Failure } from '../../platform/failures.ts'
import type { AppEnv } from '../../platform/http/app-env.ts'
import { viewerOf } from '../../platform/http/authentication.ts'
import { admit } from '../../platform/security/admit.ts'
import { tokenMissing } from '../../platform/security/tokens.ts'
import { readAccounts } from '../../services/accounts/policy.ts'
import { signingKeys } from '../../services/identity/signing-keys.ts'
import { handles } from '../../services/identity/tables.ts'

/** Who the person is (OpenID Connect Core, 5.3). The handle needs the scope `accounts:read` too. */
export async function userinfo(c: Context<AppEnv>): Promise<Response> {
  const { ctx } = c.var
  const authorization = c.req.header('authorization')
  if (authorization === undefined) throw tokenMissing()
  const viewer = await viewerOf(ctx, authorization, signingKeys)
  ctx.viewer = viewer
  c.set('isCounted', true)
  await admit(ctx, { access: 'public' }, (headers) => c.set('allowance', headers))
  if (!viewer.scopes.has('openid')) {
    const headers = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="openid"' }
    throw new Failure('insufficient_scope', 'The token needs the scope openid', { headers })
  }
  if (!viewer.scopes.has(readAccounts)) return c.json({ sub: viewer.id })
  const own = eq(handles.accountId, viewer.id)
  const [name] = await ctx.db.directory.select({ handle: handles.handle }).from(handles).where(own)
  const profile = name && `${ctx.config.BASE_URL}/@${name.handle}`
  return c.json({ sub: viewer.id, preferred_username: name?.handle, profile })
}
