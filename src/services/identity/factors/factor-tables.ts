import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../../platform/data/ids.ts'

/** `lastStep`: the number of the 30 seconds whose code was used last. Unconfirmed factors have no effect. */
export const totpFactors = sqliteTable('totp_factors', {
  accountId: id('account_id').primaryKey(),
  sealedSecret: text('sealed_secret').notNull(),
  createdAt: integer('created_at').notNull(),
  confirmedAt: integer('confirmed_at'),
  lastStep: integer('last_step').notNull().default(0),
})

/** The unused codes. `code` is a keyed hash. */
export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    accountId: id('account_id').notNull(),
    code: text('code').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.code] })],
)

/** `credentialId` and `publicKey` (COSE) are base64url. */
export const passkeys = sqliteTable('passkeys', {
  id: text('id').primaryKey(),
  accountId: id('account_id').notNull(),
  credentialId: text('credential_id').notNull().unique(),
  publicKey: text('public_key').notNull(),
  signCount: integer('sign_count').notNull(),
  sealedName: text('sealed_name').notNull(),
  createdAt: integer('created_at').notNull(),
  lastUsedAt: integer('last_used_at'),
})

export const usedChallenges = sqliteTable('used_challenges', {
  id: text('id').primaryKey(),
  until: integer('until').notNull(),
})
