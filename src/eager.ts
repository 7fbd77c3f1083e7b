import type { RequestCtx } from './platform/security/admit.ts'
import type { ApiKeySource } from './platform/security/api-keys.ts'
import { defineRules } from './platform/security/authorize.ts'
import type { KeySource } from './platform/security/tokens.ts'
import { rules } from './services/access/policy.ts'
import { rightsOf } from './services/access/queries.ts'
import { accountOperations } from './services/accounts/operations.ts'
import { feedOperations } from './services/feed/operations.ts'
import { signingKeys } from './services/identity/signing-keys.ts'
import { mediaOperations } from './services/media/operations.ts'
import { notificationOperations } from './services/notifications/operations.ts'
import { postOperations } from './services/posts/operations.ts'

defineRules(...rules)

/** The services that most requests call. They load when an isolate starts, and all other ones on first use. */
export const eagerServices = [
  { name: 'accounts', mount: '/v1', operations: accountOperations },
  { name: 'posts', mount: '/v1', operations: postOperations },
  { name: 'feed', mount: '/v1', operations: feedOperations },
  { name: 'notifications', mount: '/v1', operations: notificationOperations },
  { name: 'media', mount: '/v1', operations: mediaOperations },
] as const

type LoginSources = Pick<RequestCtx, 'readAccountStatus' | 'readLoginTime' | 'readRights'> & {
  signingKeys: KeySource
  readApiKeys: ApiKeySource
}

/** How the platform reads logins. Few requests need more than the keys. */
export const logins = {
  signingKeys,
  readApiKeys: async (...owner) => (await import('./services/api-keys/queries.ts')).readApiKeys(...owner),
  readAccountStatus: async (...login) =>
    (await import('./services/identity/revocation.ts')).readAccountStatus(...login),
  readRights: rightsOf,
  readLoginTime: async (...login) => (await import('./services/identity/queries.ts')).readLoginTime(...login),
} satisfies LoginSources
