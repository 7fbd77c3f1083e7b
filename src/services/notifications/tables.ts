import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

export const kinds = ['follow', 'like', 'comment', 'mention'] as const
export type Kind = (typeof kinds)[number]

/**
 * What happened to an account, on its shard. The id is that of the event, so that an event counts once; a unique index sees to
 * it that the same like or follow, given again, does not count again.
 */
export const notifications = sqliteTable(
  'notifications',
  {
    accountId: id('account_id').notNull(),
    id: id('id').notNull(),
    kind: text('kind', { enum: kinds }).notNull(),
    actorId: id('actor_id').notNull(),
    postId: id('post_id'),
    /** The root of that post, where it is a comment. */
    rootId: id('root_id'),
    /** When it was written here, epoch ms: later than the event where its delivery was late. Decides what is unread. */
    arrivedAt: integer('arrived_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
)
