import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean } from '../../platform/data/columns.ts'
import { id } from '../../platform/data/ids.ts'

export const accounts = sqliteTable('accounts', {
  id: id('id').primaryKey(),
  handle: text('handle').notNull(),
  displayName: text('display_name').notNull(),
  bio: text('bio').notNull().default(''),
  createdAt: integer('created_at').notNull(),
  suspendedAt: integer('suspended_at'),
  /** When its deletion was requested; null again after it was cancelled. */
  deletedAt: integer('deleted_at'),
  followerCount: integer('follower_count').notNull().default(0),
  followingCount: integer('following_count').notNull().default(0),
  postCount: integer('post_count').notNull().default(0),
  publicPostCount: integer('public_post_count').notNull().default(0),
  postDay: integer('post_day').notNull().default(0),
  postsToday: integer('posts_today').notNull().default(0),
  imageDay: integer('image_day').notNull().default(0),
  imagesToday: integer('images_today').notNull().default(0),
  imageBytesToday: integer('image_bytes_today').notNull().default(0),
  avatarId: id('avatar_id'),
  headerId: id('header_id'),
})

/** The columns that `presentSummary` needs, besides the id. */
export const summaryColumns = {
  handle: accounts.handle,
  displayName: accounts.displayName,
  avatarId: accounts.avatarId,
}

/** On the follower's shard. Every account follows itself, so that its home feed contains its own posts. */
export const follows = sqliteTable(
  'follows',
  {
    followerId: id('follower_id').notNull(),
    id: id('id').notNull(),
    followeeId: id('followee_id').notNull(),
    /** Whether the followee is hidden. The follower's count then leaves the row out. */
    hidden: boolean('hidden').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.followerId, t.id] })],
)

/** On the followee's shard: decides who sees the followee's followers-only posts. */
export const followers = sqliteTable(
  'followers',
  {
    accountId: id('account_id').notNull(),
    followerId: id('follower_id').notNull(),
    id: id('id').notNull(),
    hidden: boolean('hidden').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.followerId] })],
)

/** A block is on the shards of both accounts. If `byMe`, `accountId` blocks `otherId`; if not, `otherId` blocks it. */
export const blocks = sqliteTable(
  'blocks',
  {
    accountId: id('account_id').notNull(),
    otherId: id('other_id').notNull(),
    byMe: boolean('by_me').notNull(),
    id: id('id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.otherId, t.byMe] })],
)
