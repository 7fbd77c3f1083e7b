import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean } from '../../platform/data/columns.ts'
import { type Id, id } from '../../platform/data/ids.ts'
import type { Entity } from './entities.ts'

export const visibilities = ['public', 'followers'] as const
export type Visibility = (typeof visibilities)[number]

/** A copy of the image's row in `media`, so that reading a post needs no join. */
export type Attachment = {
  id: Id
  alt: string
  width: number
  height: number
  placeholder: string
  /** Absent (false) in posts from before animations were supported. */
  animated?: boolean
}

export const posts = sqliteTable('posts', {
  id: id('id').primaryKey(),
  authorId: id('author_id').notNull(),
  text: text('text').notNull(),
  entities: text('entities', { mode: 'json' }).$type<Entity[]>().notNull().default([]),
  media: text('media', { mode: 'json' }).$type<Attachment[]>().notNull().default([]),
  visibility: text('visibility', { enum: visibilities }).notNull(),
  /** The post at the top of a comment's thread; null for a post that is not a comment. */
  rootId: id('root_id'),
  parentId: id('parent_id'),
  parentAuthorId: id('parent_author_id'),
  likeCount: integer('like_count').notNull().default(0),
  commentCount: integer('comment_count').notNull().default(0),
  editedAt: integer('edited_at'),
})

export const likes = sqliteTable(
  'likes',
  {
    postId: id('post_id').notNull(),
    accountId: id('account_id').notNull(),
    id: id('id').notNull(),
    /** Whether the account is hidden. The post's count then leaves the like out. */
    hidden: boolean('hidden').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.postId, t.accountId] })],
)

/** Copies of `likes`, sorted by id, which events sync: on the shard of a post with many likes, and on that of the account. */
export const postLikers = sqliteTable(
  'post_likers',
  { postId: id('post_id').notNull(), id: id('id').notNull(), accountId: id('account_id').notNull() },
  (t) => [primaryKey({ columns: [t.postId, t.id] })],
)
export const likedPosts = sqliteTable(
  'liked_posts',
  { accountId: id('account_id').notNull(), id: id('id').notNull(), postId: id('post_id').notNull() },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
)

/** On the shard of `threadId`: lists all comments below a post, but below a comment only its direct replies. */
export const threadIndex = sqliteTable(
  'thread_index',
  {
    threadId: id('thread_id').notNull(),
    postId: id('post_id').notNull(),
    hidden: boolean('hidden').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.threadId, t.postId] })],
)
