import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean, instant } from '../../platform/data/columns.ts'
import { id } from '../../platform/data/ids.ts'

// The tables of @better-auth/oauth-provider that are in use. Lists are JSON text, which its adapter reads and writes.

export const oauthClients = sqliteTable('oauth_clients', {
  id: text('id').primaryKey(),
  clientId: text('client_id').notNull().unique(),
  name: text('name'),
  disabled: boolean('disabled').notNull().default(false),
  scopes: text('scopes'),
  redirectUris: text('redirect_uris').notNull(),
  grantTypes: text('grant_types'),
  tokenEndpointAuthMethod: text('token_endpoint_auth_method'),
  applicationType: text('application_type'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
})

export const oauthResources = sqliteTable('oauth_resources', {
  id: text('id').primaryKey(),
  identifier: text('identifier').notNull().unique(),
  name: text('name').notNull(),
  disabled: boolean('disabled').notNull().default(false),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
})

/** `token` is a hash. A rotated (`revoked`) token keeps the encrypted response of its rotation for a grace period. */
export const refreshTokens = sqliteTable('refresh_tokens', {
  id: text('id').primaryKey(),
  token: text('token').notNull().unique(),
  clientId: text('client_id').notNull(),
  sessionId: text('session_id').notNull(),
  userId: id('user_id').notNull(),
  scopes: text('scopes').notNull(),
  resources: text('resources'),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  revoked: instant('revoked'),
  rotatedAt: instant('rotated_at'),
  rotationReplayResponse: text('rotation_replay_response'),
  rotationReplayExpiresAt: instant('rotation_replay_expires_at'),
  authTime: instant('auth_time'),
})
