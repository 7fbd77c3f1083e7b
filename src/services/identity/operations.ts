import { z } from '@hono/zod-openapi'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { FRESH_LOGIN_MINUTES } from '../../platform/security/admit.ts'
import { moderate, writeAccounts } from '../accounts/policy.ts'
import { AccountPath } from '../accounts/views.ts'
import { factorOperations } from './factors/factor-operations.ts'
import { awaitingApproval, invalidCredentials, loginChallengeRequired, secondFactorRequired } from './failures.ts'
import { Confirmation, confirmLogin } from './fresh-login.ts'
import { REUSE_SECONDS } from './lifetimes.ts'
import { refreshLimit } from './limits.ts'
import { Login, logIn } from './login.ts'
import { credentialsOnly, loginOnly } from './policy.ts'
import { providerOperations } from './providers/provider-operations.ts'
import { recoveryOperations } from './recovery-operations.ts'
import { registrationOperations } from './registration-operations.ts'
import { AccountRole, RoleChange, setRole } from './roles.ts'
import { sessionOperations } from './session-operations.ts'
import { logOut, logOutEverywhere, Refresh, refreshLogin } from './sessions.ts'
import { signingKeys } from './signing-keys.ts'
import { Tokens } from './views.ts'

const PublicKey = z
  .object({
    kty: z.string(),
    crv: z.string(),
    x: z.string(),
    kid: z.string(),
    alg: z.string(),
    use: z.string(),
  })
  .openapi('PublicKey', {
    example: {
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      kid: 'k1',
      alg: 'EdDSA',
      use: 'sig',
    },
  })
const PublicKeys = z.object({ keys: z.array(PublicKey) }).openapi('PublicKeys')

// Made-up values for the examples in the API document: well-formed, but of no real account.
const PASSWORD = 'seven quiet otters at dawn'
const SIGNATURE = 'qL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY'

export const identityOperations = [
  ...registrationOperations,
  operation({
    id: 'logIn',
    method: 'post',
    path: '/auth/login',
    restOnly: 'Tokens are issued at one place',
    access: 'public',
    body: Login,
    example: { identifier: 'ada', password: PASSWORD },
    returns: Tokens,
    fails: [invalidCredentials, secondFactorRequired, loginChallengeRequired, awaitingApproval, 'rate_limited'],
    noRpc: credentialsOnly,
    summary: 'Log in with a handle or an email address',
    description:
      'Send the `deviceToken` that this device got when the account last logged in on it. After too many wrong passwords for a name (within an hour) or from an address (within five minutes), a login needs such a token or a solved Turnstile challenge.',
    run: logIn,
  }),
  operation({
    id: 'refreshLogin',
    method: 'post',
    path: '/auth/refresh',
    restOnly: 'Tokens are issued at one place',
    access: 'public',
    limit: refreshLimit,
    body: Refresh,
    example: { refreshToken: `Zt4pQw8sLx1vHa7dKm2cRy9fBn5gJe3u.Wd6hVk0aTz8nCq2mYb4xSf7rPj1eGo9i.${SIGNATURE}` },
    returns: Tokens,
    fails: [invalidCredentials],
    noRpc: credentialsOnly,
    summary: `Refresh the tokens of a login. A used refresh token repeats its response for ${REUSE_SECONDS} seconds; then it ends the login`,
    run: refreshLogin,
  }),
  operation({
    id: 'confirmLogin',
    whileSuspended: true,
    method: 'post',
    path: '/auth/confirm',
    access: 'user',
    scope: writeAccounts,
    login: true,
    body: Confirmation,
    example: { password: PASSWORD },
    returns: null,
    fails: [invalidCredentials],
    noRpc: credentialsOnly,
    summary: 'Confirm this login, for operations that require a fresh login',
    description: `Send a passkey; or the password, together with a code or recovery code if the account has a second factor. For the next ${FRESH_LOGIN_MINUTES} minutes, this login may call operations that require a fresh login.`,
    run: confirmLogin,
  }),
  operation({
    id: 'logOut',
    whileSuspended: true,
    method: 'post',
    path: '/auth/logout',
    access: 'user',
    login: true,
    returns: null,
    noRpc: loginOnly,
    summary: 'Log out and end this login',
    run: logOut,
  }),
  operation({
    id: 'logOutEverywhere',
    method: 'post',
    path: '/auth/logout-all',
    access: 'user',
    scope: writeAccounts,
    login: true,
    returns: null,
    summary: 'End all logins, API keys and approvals of apps',
    run: logOutEverywhere,
  }),
  ...sessionOperations,
  operation({
    id: 'listSigningKeys',
    method: 'get',
    path: '/auth/jwks',
    restOnly: 'Libraries fetch the JWK set (RFC 7517) from its URL',
    access: 'public',
    returns: PublicKeys,
    summary: 'Read the public keys that verify access tokens, as a JWK set',
    cacheControl: 'public, max-age=300',
    run: async (ctx) => PublicKeys.parse(await signingKeys(ctx)),
  }),
  operation({
    id: 'setRole',
    method: 'put',
    path: '/accounts/{accountId}/role',
    access: 'admin',
    scope: moderate,
    fresh: true,
    params: AccountPath,
    body: RoleChange,
    example: { role: 'moderator' },
    returns: AccountRole,
    fails: ['conflict'],
    summary: 'Set the role of an account',
    run: setRole,
  }),
  ...providerOperations,
  ...recoveryOperations,
  ...factorOperations,
] satisfies Operation[]
