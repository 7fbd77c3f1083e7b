import { getOAuthProviderApi, type OAuthOptions, type OAuthTokenIssueParams } from '@better-auth/oauth-provider'
import { z } from '@hono/zod-openapi'
import type { BetterAuthPlugin } from 'better-auth'
import { createAuthEndpoint } from 'better-auth/api'
import { symmetricDecrypt } from 'better-auth/crypto'
import { CLIENT_ID, grantedScopes } from './oauth-client.ts'

type User = NonNullable<OAuthTokenIssueParams['user']>
type RefreshToken = NonNullable<OAuthTokenIssueParams['refreshToken']>

const Issue = z.object({
  user: z.object({ id: z.string(), role: z.string() }),
  audience: z.string(),
  sessionId: z.string(),
  rotates: z.string().optional(),
})

type Rotated = { rotationReplayResponse: string | null }
const Answer = z.object({
  response: z.object({ access_token: z.string(), refresh_token: z.string(), expires_at: z.number() }),
})

/** Issues tokens to our own client without an authorization code flow. Endpoints without a path have no HTTP route. */
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
      }
    }),
    /** Throws `invalid_grant` if a concurrent request has already used the token `rotates`. */
    issueTokens: createAuthEndpoint({ method: 'POST', body: Issue }, async (ctx) => {
      const { user, audience, rotates, sessionId } = ctx.body
      const options = ctx.context.getPlugin('oauth-provider')!.options as OAuthOptions<string[]>
      const provider = getOAuthProviderApi(ctx, options, rotates ? 'refresh_token' : 'authorization_code')
      const issued = await provider.issueTokens({
        client: (await provider.getClient(CLIENT_ID))!,
        // Casts: the provider reads only the id and role of the user, and the id and scopes of the refresh token.
        user: user as unknown as User,
        scopes: grantedScopes(),
        resources: [audience],
        sessionId,
        refreshToken: rotates ? ({ id: rotates, scopes: grantedScopes() } as RefreshToken) : undefined,
      })
      return {
        accessToken: issued.access_token!,
        secret: issued.refresh_token!,
        expiresIn: issued.expires_in,
      }
    }),
  },
} satisfies BetterAuthPlugin
