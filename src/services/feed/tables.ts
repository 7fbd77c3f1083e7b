import { integer, primaryKey, sqliteTable } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** On each shard, the lane `posts` covers the whole network. The other lanes cover only the shard's own accounts. */
export const lanes = { posts: 0, comments: 1, publicPosts: 2 } as const

/** Post ids by author and time, so that home feeds and account feeds are index seeks. */
export const feedIndex = sqliteTable(
  'feed_index',
  { authorId: id('author_id').notNull(), lane: integer('lane').notNull(), postId: id('post_id').notNull() },
  (t) => [primaryKey({ columns: [t.authorId, t.lane, t.postId] })],
)

/** The public posts of the whole network, in the index database. */
export const publicPosts = sqliteTable('public_posts', {
  postId: id('post_id').primaryKey(),
  authorId: id('author_id').notNull(),
})
