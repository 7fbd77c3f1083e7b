import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { route, routes } from '../../platform/http/route.ts'
import { Login, logIn } from './login.ts'
import { Registration, register, Verification, verifyAddress } from './registration.ts'
import { AccountRole, RoleChange, setRole } from './roles.ts'
import { logOut, logOutEverywhere, Refresh, refreshLogin } from './sessions.ts'
import { signingKeys } from './signing-keys.ts'
import { Tokens } from './views.ts'

const Registered = z.object({ status: z.literal('verification_sent') }).openapi('Registered')
const PublicKey = z.object({
  kty: z.string(),
  crv: z.string(),
  x: z.string(),
  kid: z.string(),
  alg: z.string(),
  use: z.string(),
})
const PublicKeys = z.object({ keys: z.array(PublicKey) }).openapi('PublicKeys')
const AccountSummary = z.object({ accountId: Id })

// For the examples of the document: their form alone is true.
const PASSWORD = 'seven quiet otters at dawn'
const SIGNATURE = 'qL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY'

export const identityRoutes = routes()
  .openapi(
    route({
      id: 'register',
      method: 'post',
      path: '/auth/register',
      access: 'public',
      limit: 'register',
      body: Registration,
      example: { handle: 'ada', email: 'ada@example.com', password: PASSWORD },
      returns: Registered,
      status: 202,
      fails: ['handle_taken'],
      summary: 'Register; a mail brings the token that opens the account',
    }),
    async (c) => {
      await register(c.var.ctx, c.req.valid('json'))
      return c.json({ status: 'verification_sent' as const }, 202)
    },
  )
  .openapi(
    route({
      id: 'verifyAddress',
      method: 'post',
      path: '/auth/verify',
      access: 'public',
      body: Verification,
      example: { token: `1970324836974593.1893456000000.${SIGNATURE}`, password: PASSWORD },
      returns: Tokens,
      fails: ['invalid_credentials'],
      summary: 'Verify an address with the token from the mail and the password, and log in',
    }),
    async (c) => c.json(await verifyAddress(c.var.ctx, c.req.valid('json')), 200),
  )
  .openapi(
    route({
      id: 'logIn',
      method: 'post',
      path: '/auth/login',
      access: 'public',
      limit: 'login',
      body: Login,
      example: { identifier: 'ada', password: PASSWORD },
      returns: Tokens,
      fails: ['invalid_credentials', 'suspended'],
      summary: 'Log in with a handle or an address',
    }),
    async (c) => c.json(await logIn(c.var.ctx, c.req.valid('json')), 200),
  )
  .openapi(
    route({
      id: 'refreshLogin',
      method: 'post',
      path: '/auth/refresh',
      access: 'public',
      limit: 'refresh',
      body: Refresh,
      example: { refreshToken: `Zt4pQw8sLx1vHa7dKm2cRy9fBn5gJe3u.Wd6hVk0aTz8nCq2mYb4xSf7rPj1eGo9i.${SIGNATURE}` },
      returns: Tokens,
      fails: ['invalid_credentials', 'suspended'],
      summary:
        'Get the next tokens of a login, within half a minute once more; later, using a refresh token again ends the login',
    }),
    async (c) => c.json(await refreshLogin(c.var.ctx, c.req.valid('json')), 200),
  )
  .openapi(
    route({
      id: 'logOut',
      method: 'post',
      path: '/auth/logout',
      access: 'user',
      returns: null,
      status: 204,
      summary: 'End this login',
    }),
    async (c) => {
      await logOut(c.var.ctx)
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'logOutEverywhere',
      method: 'post',
      path: '/auth/logout-all',
      access: 'user',
      scope: 'accounts:write',
      returns: null,
      status: 204,
      summary: 'End all of one’s logins',
    }),
    async (c) => {
      await logOutEverywhere(c.var.ctx)
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'listSigningKeys',
      method: 'get',
      path: '/auth/jwks',
      access: 'public',
      returns: PublicKeys,
      summary: 'The public keys that verify access tokens, as a JWK set',
    }),
    async (c) => {
      const keys = PublicKeys.parse(await signingKeys(c.var.ctx))
      c.header('cache-control', 'public, max-age=300')
      return c.json(keys, 200)
    },
  )
  .openapi(
    route({
      id: 'setRole',
      method: 'put',
      path: '/accounts/{accountId}/role',
      access: 'admin',
      scope: 'moderation',
      params: AccountSummary,
      body: RoleChange,
      example: { role: 'moderator' },
      returns: AccountRole,
      summary: 'Give an account a role',
    }),
    async (c) => c.json(await setRole(c.var.ctx, { ...c.req.valid('param'), ...c.req.valid('json') }), 200),
  )
