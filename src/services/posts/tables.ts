import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { type Id, id } from '../../platform/data/ids.ts'
import type { Entity } from './entities.ts'

/** What a post shows of an image; the image's own row is in the media service. */
export type Attachment = { id: Id; alt: string; width: number; height: number; placeholder: string }

export const posts = sqliteTable('posts', {
  id: id('id').primaryKey(),
  authorId: id('author_id').notNull(),
  text: text('text').notNull(),
  entities: text('entities', { mode: 'json' }).$type<Entity[]>().notNull().default([]),
  media: text('media', { mode: 'json' }).$type<Attachment[]>().notNull().default([]),
  visibility: text('visibility', { enum: ['public', 'followers'] }).notNull(),
  /** The post that a comment is under, however deep; null for a post that is no comment. */
  rootId: id('root_id'),
  /** The post or comment that a comment replies to. */
  parentId: id('parent_id'),
  likeCount: integer('like_count').notNull().default(0),
  commentCount: integer('comment_count').notNull().default(0),
})

export const likes = sqliteTable(
  'likes',
  { postId: id('post_id').notNull(), accountId: id('account_id').notNull() },
  (t) => [primaryKey({ columns: [t.postId, t.accountId] })],
)

/** The comments under a post, on that post's shard: all of them under a root, the direct replies under a comment. */
export const threadIndex = sqliteTable(
  'thread_index',
  { threadId: id('thread_id').notNull(), postId: id('post_id').notNull() },
  (t) => [primaryKey({ columns: [t.threadId, t.postId] })],
)
