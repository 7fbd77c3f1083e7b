import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

export const kinds = ['follow', 'like', 'comment', 'mention'] as const
export type Kind = (typeof kinds)[number]

/** `id` is the id of the event, and of the like, so each is stored once. So are repeated follows, due to a unique index. */
export const notifications = sqliteTable(
  'notifications',
  {
    accountId: id('account_id').notNull(),
    id: id('id').notNull(),
    kind: text('kind', { enum: kinds }).notNull(),
    actorId: id('actor_id').notNull(),
    postId: id('post_id'),
    rootId: id('root_id'),
    /** Of a like its post, of a follow the first id of its day (UTC); null for kinds that are listed one by one. */
    groupId: id('group_id'),
    /** Epoch ms, possibly long after the event; decides what is unread. */
    arrivedAt: integer('arrived_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
)

/** Likes that were withdrawn after they had notified, on the shard of the post. Such an account's next like does not notify. */
export const withdrawnLikes = sqliteTable(
  'withdrawn_likes',
  { accountId: id('account_id').notNull(), postId: id('post_id').notNull() },
  (t) => [primaryKey({ columns: [t.accountId, t.postId] })],
)

/** Notifications that arrived at or before `readAt` (epoch ms) are read. */
export const notificationMarkers = sqliteTable('notification_markers', {
  accountId: id('account_id').primaryKey(),
  readAt: integer('read_at').notNull(),
})
