import { getOAuthProviderApi, type OAuthOptions, type OAuthTokenIssueParams } from '@better-auth/oauth-provider'
import { z } from '@hono/zod-openapi'
import type { BetterAuthPlugin } from 'better-auth'
import { createAuthEndpoint } from 'better-auth/api'
import { CLIENT_ID, grantedScopes } from './client.ts'

type User = NonNullable<OAuthTokenIssueParams['user']>
type RefreshToken = NonNullable<OAuthTokenIssueParams['refreshToken']>

const Issue = z.object({
  user: z.object({ id: z.string(), role: z.string() }),
  audience: z.string(),
  /** The login; without it a new one begins. */
  sessionId: z.string().optional(),
  /** The id of the refresh token that the new one takes the place of. */
  rotates: z.string().optional(),
})

/**
 * Lets the OAuth provider issue tokens to our own client, without the detour of a code through a browser. The endpoint
 * has no path, so that it is not on HTTP. Throws `invalid_grant` when the token to be rotated was used meanwhile.
 */
export const firstParty = {
  id: 'first-party',
  endpoints: {
    issueTokens: createAuthEndpoint({ method: 'POST', body: Issue }, async (ctx) => {
      const { user, audience, rotates } = ctx.body
      const options = ctx.context.getPlugin('oauth-provider')!.options as OAuthOptions<string[]>
      const provider = getOAuthProviderApi(ctx, options, rotates ? 'refresh_token' : 'authorization_code')
      const sessionId = ctx.body.sessionId ?? (await ctx.context.internalAdapter.createSession(user.id)).id
      const issued = await provider.issueTokens({
        client: (await provider.getClient(CLIENT_ID))!,
        // Of a user the provider reads the id and `customAccessTokenClaims` the role, of a token the id and the scopes.
        user: user as unknown as User,
        scopes: grantedScopes,
        resources: [audience],
        sessionId,
        refreshToken: rotates ? ({ id: rotates, scopes: grantedScopes } as RefreshToken) : undefined,
      })
      return {
        accessToken: issued.access_token!,
        secret: issued.refresh_token!,
        expiresIn: issued.expires_in,
        sessionId,
      }
    }),
  },
} satisfies BetterAuthPlugin
