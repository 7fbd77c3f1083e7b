import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean } from '../../platform/data/columns.ts'
import { id, toId } from '../../platform/data/ids.ts'

/** Values of `postId` for images that cannot be attached to a post. No post has these ids. */
export const DELETED = toId(0)
export const IN_PROFILE = toId(1)
/** From before its message is stored until the conversation confirms it. */
export const SENDING = toId(2)
export const IN_MESSAGE = toId(3)

/** Images, on the shard of the owner (`accountId`). */
export const media = sqliteTable('media', {
  id: id('id').primaryKey(),
  accountId: id('account_id').notNull(),
  postId: id('post_id'),
  conversationId: text('conversation_id'),
  /** The client id of the message that uses the image, and since when (epoch ms). */
  claim: text('claim'),
  claimedAt: integer('claimed_at'),
  alt: text('alt').notNull(),
  width: integer('width').notNull(),
  height: integer('height').notNull(),
  /** A tiny image as a data URL, shown while the image loads. */
  placeholder: text('placeholder').notNull(),
  animated: boolean('animated').notNull().default(false),
})
