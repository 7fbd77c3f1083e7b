import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

export const accounts = sqliteTable('accounts', {
  id: id('id').primaryKey(),
  handle: text('handle').notNull(),
  displayName: text('display_name').notNull(),
  bio: text('bio').notNull().default(''),
  createdAt: integer('created_at').notNull(),
  suspendedAt: integer('suspended_at'),
  followerCount: integer('follower_count').notNull().default(0),
  followingCount: integer('following_count').notNull().default(0),
  postCount: integer('post_count').notNull().default(0),
  notificationsReadAt: integer('notifications_read_at').notNull().default(0),
})

/** Who an account follows, on the follower's shard. Everyone follows themself, so that a home feed is one seek. */
export const follows = sqliteTable(
  'follows',
  { followerId: id('follower_id').notNull(), followeeId: id('followee_id').notNull() },
  (t) => [primaryKey({ columns: [t.followerId, t.followeeId] })],
)

/** Who follows an account, on its own shard: what decides who sees its followers-only posts. */
export const followers = sqliteTable(
  'followers',
  { accountId: id('account_id').notNull(), followerId: id('follower_id').notNull() },
  (t) => [primaryKey({ columns: [t.accountId, t.followerId] })],
)

/** Blocks in both directions, on each side's shard: `byMe` when the account blocks the other, else the other way round. */
export const blocks = sqliteTable(
  'blocks',
  {
    accountId: id('account_id').notNull(),
    otherId: id('other_id').notNull(),
    byMe: integer('by_me', { mode: 'boolean' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.otherId, t.byMe] })],
)
