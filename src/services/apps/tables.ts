import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** Apps of other developers. `ownerId` is null for one that registered itself, `secret` (a hash) for a public client. */
export const apps = sqliteTable('apps', {
  id: id('id').primaryKey(),
  ownerId: id('owner_id'),
  name: text('name').notNull(),
  website: text('website'),
  description: text('description').notNull(),
  redirectUris: text('redirect_uris', { mode: 'json' }).$type<string[]>().notNull(),
  secret: text('secret'),
  createdAt: integer('created_at').notNull(),
  redirectsChangedAt: integer('redirects_changed_at').notNull().default(0),
  disabledAt: integer('disabled_at'),
  disabledReason: text('disabled_reason'),
})

/** What a person allowed an app: the scopes of all approvals together. `approvedAt` is the time of the latest. */
export const appGrants = sqliteTable(
  'app_grants',
  {
    accountId: id('account_id').notNull(),
    appId: id('app_id').notNull(),
    scopes: text('scopes', { mode: 'json' }).$type<string[]>().notNull(),
    createdAt: integer('created_at').notNull(),
    approvedAt: integer('approved_at').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.appId] })],
)

/** Authorization codes, hashed. A used one keeps the login that it opened, so that its reuse ends that login. */
export const appCodes = sqliteTable('app_codes', {
  code: text('code').primaryKey(),
  appId: id('app_id').notNull(),
  accountId: id('account_id').notNull(),
  redirectUri: text('redirect_uri').notNull(),
  scopes: text('scopes', { mode: 'json' }).$type<string[]>().notNull(),
  challenge: text('challenge').notNull(),
  nonce: text('nonce'),
  authTime: integer('auth_time').notNull(),
  createdAt: integer('created_at').notNull(),
  sessionId: text('session_id'),
})
