import type { Context } from 'hono'
import { notFound } from '../../platform/failures.ts'
import { countByAddress } from '../../platform/http/address-limit.ts'
import type { AppEnv } from '../../platform/http/app-env.ts'
import type { RequestCtx } from '../../platform/security/admit.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { registerDynamically } from '../../services/apps/dynamic-registration.ts'
import { appRegistrationLimit, tokenLimit } from '../../services/apps/limits.ts'
import { OAuthError } from '../../services/apps/oauth-error.ts'
import { dynamicRegistration } from '../../services/apps/variables.ts'
import { authorize } from './authorize.ts'
import { type Form, formOf } from './form.ts'
import { introspectToken } from './introspect.ts'
import { resourceMetadata, serverMetadata } from './metadata.ts'
import { revokeToken } from './revoke.ts'
import { issueToken } from './token.ts'
import { userinfo } from './userinfo.ts'

type C = Context<AppEnv>

/** Counts a request per client address, and answers errors as RFC 6749 requires (5.2). Other errors are problems. */
async function answer(c: C, run: () => Promise<object | null>, status: 200 | 201 = 200): Promise<Response> {
  const { ctx } = c.var
  c.set('isCounted', true)
  const { headers } = await spend(ctx, tokenLimit, ctx.clientIp)
  c.set('allowance', headers)
  c.header('cache-control', 'no-store')
  c.header('pragma', 'no-cache')
  try {
    const body = await run()
    return body === null ? c.body(null, 200) : c.json(body, status)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const isClient = error.code === 'invalid_client'
    if (isClient) c.header('www-authenticate', 'Basic realm="apps", charset="UTF-8"')
    return c.json({ error: error.code, error_description: error.description }, isClient ? 401 : 400)
  }
}

const ofForm = (run: (ctx: RequestCtx, form: Form) => Promise<object | null>) => (c: C) =>
  answer(c, async () => run(c.var.ctx, await formOf(c)))

async function described(c: C, describe: typeof serverMetadata): Promise<Response> {
  await countByAddress(c)
  c.header('cache-control', 'public, max-age=300')
  return c.json(describe(c.var.ctx))
}

export const handlers = {
  authorize,
  userinfo,
  token: ofForm(issueToken),
  revoke: ofForm(revokeToken),
  introspect: ofForm(introspectToken),
  metadata: (c: C) => described(c, serverMetadata),
  resource: (c: C) => described(c, resourceMetadata),
  register: async (c: C) => {
    if (dynamicRegistration(c.var.ctx) === 'off') throw notFound()
    return answer(
      c,
      async () => {
        await spend(c.var.ctx, appRegistrationLimit, c.var.ctx.clientIp)
        return registerDynamically(c.var.ctx, await jsonOf(c))
      },
      201,
    )
  },
}

async function jsonOf(c: C): Promise<unknown> {
  return c.req.json<unknown>().catch(() => {
    throw new OAuthError('invalid_client_metadata', 'The body must be JSON')
  })
}
