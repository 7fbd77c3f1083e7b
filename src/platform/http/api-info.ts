import { declaredScopes } from '../security/scopes.ts'
import { ACCESS_TOKEN_LIFE_MS } from '../security/tokens.ts'

// What the documents of the API, OpenAPI and AsyncAPI, have in common.

/** The version of the API. docs/versioning.md says when it changes. */
export const VERSION = '1.0.0'
export const license = { name: 'MIT', identifier: 'MIT' }
export const contact = { name: 'The operator of this server' }

/** Scopes are in `x-scope` and `x-scopes`, where an OAuth 2.0 scheme can use them too: `security` of `http` has none. */
export function bearer() {
  return {
    type: 'http' as const,
    scheme: 'bearer',
    bearerFormat: 'at+jwt',
    description: `An access token, valid for ${ACCESS_TOKEN_LIFE_MS / 60_000} minutes, from login or refresh`,
    'x-scopes': Object.fromEntries(declaredScopes()),
  }
}
