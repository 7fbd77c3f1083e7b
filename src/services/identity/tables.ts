import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Role } from '../../platform/context.ts'
import { boolean, instant } from '../../platform/data/columns.ts'
import { id } from '../../platform/data/ids.ts'

/** better-auth's users. `email` is a blind index that looks like an address, `sealedAddress` the encrypted address. */
export const users = sqliteTable('users', {
  id: id('id').primaryKey(),
  name: text('name').notNull().default(''),
  email: text('email').notNull().unique(),
  emailVerified: boolean('email_verified').notNull().default(false),
  image: text('image'),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
  sealedAddress: text('sealed_address').notNull(),
  role: text('role').$type<Role>().notNull().default('user'),
  /** Access tokens issued at or before this time are revoked, epoch ms. */
  tokensVoidBefore: integer('tokens_void_before').notNull().default(0),
  firstLoginAt: integer('first_login_at'),
  /** Device tokens issued at or before this time are revoked, epoch ms. */
  devicesVoidBefore: integer('devices_void_before').notNull().default(0),
  termsVersion: text('terms_version'),
  termsAcceptedAt: integer('terms_accepted_at'),
  /** Whether a moderator must still approve the account. A refused registration is deleted after a day. */
  approval: text('approval').$type<'required' | 'refused'>(),
  handleChangedAt: integer('handle_changed_at'),
  passwordChangedAt: integer('password_changed_at'),
  hasShortPassword: boolean('has_short_password').notNull().default(false),
  /** API keys created at or before this time are revoked, epoch ms. */
  keysVoidBefore: integer('keys_void_before').notNull().default(0),
  /** A copy of the suspension on the shard, so that a batch can count the administrators that are left. */
  suspended: boolean('suspended').notNull().default(false),
})

/** `code` is a keyed hash, `accountId` the last registration with the invitation, `usedAt` when it was verified. */
export const invitations = sqliteTable('invitations', {
  id: id('id').primaryKey(),
  code: text('code').notNull().unique(),
  inviterId: id('inviter_id').notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
  accountId: id('account_id'),
  usedAt: integer('used_at'),
})

/** Even a registration with a known address reserves a handle: responses must not reveal that the address is known. */
export const handles = sqliteTable('handles', {
  handle: text('handle').primaryKey(),
  accountId: id('account_id').notNull().unique(),
  address: text('address').notNull(),
  reservedUntil: integer('reserved_until'),
  mailedAt: integer('mailed_at'),
})

/** Handles that were given up: `until` then, they resolve to the account, and nobody else may register them. */
export const formerHandles = sqliteTable('former_handles', {
  handle: text('handle').primaryKey(),
  accountId: id('account_id'),
  until: integer('until').notNull(),
})

/** Changes of an address that are not confirmed yet. `address` is a blind index, here and in `formerAddresses`. */
export const addressChanges = sqliteTable('address_changes', {
  accountId: id('account_id').primaryKey(),
  address: text('address').notNull(),
  sealedAddress: text('sealed_address').notNull(),
  until: integer('until').notNull(),
})

/** Addresses that the account left at `leftAt`. Until the time `until`, their owners may restore them. */
export const formerAddresses = sqliteTable(
  'former_addresses',
  {
    accountId: id('account_id').notNull(),
    address: text('address').notNull(),
    sealedAddress: text('sealed_address').notNull(),
    leftAt: integer('left_at').notNull(),
    until: integer('until').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.address] })],
)

/** The mails that anyone may request for an account: when the last one was sent, and how many in the current hour. */
export const mailLimits = sqliteTable('mail_limits', {
  accountId: id('account_id').primaryKey(),
  mailedAt: integer('mailed_at').notNull(),
  hourBegan: integer('hour_began').notNull(),
  mails: integer('mails').notNull(),
})

/**
 * better-auth's accounts: the ways to log in. With a `providerId` other than `credential`, that is the issuer of an identity
 * at a provider and `accountId` its subject. An account without a password has a `credential` too, with null.
 */
export const credentials = sqliteTable('credentials', {
  id: text('id').primaryKey(),
  accountId: text('account_id').notNull(),
  providerId: text('provider_id').notNull(),
  userId: id('user_id').notNull(),
  password: text('password'),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/** better-auth's sessions, one per login; `updatedAt` is its last use. Deleting one deletes its refresh tokens (by a foreign key). */
export const sessions = sqliteTable('sessions', {
  id: text('id').primaryKey(),
  userId: id('user_id').notNull(),
  token: text('token').notNull().unique(),
  expiresAt: instant('expires_at').notNull(),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  confirmedAt: integer('confirmed_at'),
  sealedClient: text('sealed_client'),
  deviceId: text('device_id'),
  /** The app of another developer that the login belongs to, and its scopes; null for a login of a person. */
  appId: id('app_id'),
  scopes: text('scopes', { mode: 'json' }).$type<string[]>(),
})

/** Mails that are not sent yet. `sealedTo` is null for the current address of the account. */
export const mails = sqliteTable('mails', {
  id: text('id').primaryKey(),
  accountId: id('account_id'),
  kind: text('kind').notNull(),
  sealedTo: text('sealed_to'),
  detail: text('detail'),
  createdAt: integer('created_at').notNull(),
})

/** The keys that sign access tokens; the private half is encrypted with AUTH_SECRET. */
export const jwks = sqliteTable('jwks', {
  id: text('id').primaryKey(),
  publicKey: text('public_key').notNull(),
  privateKey: text('private_key').notNull(),
  alg: text('alg'),
  crv: text('crv'),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at'),
})
