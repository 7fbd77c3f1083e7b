import { getOAuthProviderApi, type OAuthOptions, type OAuthTokenIssueParams } from '@better-auth/oauth-provider'
import { z } from '@hono/zod-openapi'
import type { BetterAuthPlugin } from 'better-auth'
import { APIError, createAuthEndpoint } from 'better-auth/api'
import { symmetricDecrypt } from 'better-auth/crypto'
import { OWN_CLIENT } from '../../platform/security/tokens.ts'
import { grantedScopes, suspendedScopes } from './oauth-client.ts'

type User = NonNullable<OAuthTokenIssueParams['user']>
type RefreshToken = NonNullable<OAuthTokenIssueParams['refreshToken']>

const Issue = z.object({
  user: z.object({ id: z.string(), role: z.string() }),
  audience: z.string(),
  sessionId: z.string(),
  rotates: z.string().optional(),
  isSuspended: z.boolean(),
  app: z
    .object({
      appId: z.string(),
      scopes: z.array(z.string()),
      granted: z.array(z.string()),
      nonce: z.string().optional(),
      authTime: z.number().optional(),
    })
    .optional(),
})

type Rotated = { rotationReplayResponse: string | null }
const Answer = z.object({
  response: z.object({
    access_token: z.string(),
    refresh_token: z.string(),
    expires_at: z.number(),
    scope: z.string(),
    id_token: z.string().optional(),
  }),
})

/** Issues tokens without an authorization code flow. Endpoints without a path have no HTTP route. */
export const firstParty = {
  id: 'first-party',
  endpoints: {
    replayRotation: createAuthEndpoint({ method: 'POST', body: z.object({ id: z.string() }) }, async (ctx) => {
      const where = [{ field: 'id', value: ctx.body.id }]
      const row = await ctx.context.adapter.findOne<Rotated>({ model: 'oauthRefreshToken', where })
      if (!row?.rotationReplayResponse) return null
      const data = await symmetricDecrypt({ key: ctx.context.secretConfig, data: row.rotationReplayResponse })
      const { response } = Answer.parse(JSON.parse(data))
      return {
        accessToken: response.access_token,
        secret: response.refresh_token,
        expiresIn: Math.max(0, response.expires_at - Math.floor(Date.now() / 1_000)),
        scope: response.scope,
        idToken: response.id_token,
      }
    }),
    /** Throws `invalid_grant` if a concurrent request has already used the token `rotates`. */
    issueTokens: createAuthEndpoint({ method: 'POST', body: Issue }, async (ctx) => {
      const { user, audience, rotates, sessionId, isSuspended, app } = ctx.body
      const own = { scopes: isSuspended ? suspendedScopes : grantedScopes(), granted: grantedScopes() }
      const { scopes, granted } = app ?? own
      const options = ctx.context.getPlugin('oauth-provider')!.options as OAuthOptions<string[]>
      const provider = getOAuthProviderApi(ctx, options, rotates ? 'refresh_token' : 'authorization_code')
      const client = await provider.getClient(app?.appId ?? OWN_CLIENT)
      if (!client) throw new APIError('BAD_REQUEST', { error: 'invalid_grant' })
      const issued = await provider.issueTokens({
        client,
        // Casts: the provider reads only the id and role of the user, and the id and scopes of the refresh token.
        user: { ...user, restricted: isSuspended } as unknown as User,
        scopes,
        resources: [audience],
        sessionId,
        refreshToken: rotates ? ({ id: rotates, scopes: granted } as RefreshToken) : undefined,
        nonce: app?.nonce,
        authTime: app?.authTime === undefined ? undefined : new Date(app.authTime),
      })
      return {
        accessToken: issued.access_token!,
        secret: issued.refresh_token ?? null,
        expiresIn: issued.expires_in,
        scope: issued.scope,
        idToken: issued.id_token,
      }
    }),
  },
} satisfies BetterAuthPlugin
