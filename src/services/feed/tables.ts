import { integer, primaryKey, sqliteTable } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** Which of an author's lists a post is in. Every shard holds the `posts` of the whole network, its own accounts' `comments` besides. */
export const lane = { posts: 0, comments: 1 } as const

/** The feed index: who published what, in order. Home feeds and authors' pages are seeks in it. */
export const feedIndex = sqliteTable(
  'feed_index',
  { authorId: id('author_id').notNull(), lane: integer('lane').notNull(), postId: id('post_id').notNull() },
  (t) => [primaryKey({ columns: [t.authorId, t.lane, t.postId] })],
)

/** The public posts of the whole network, in `INDEX`. */
export const publicPosts = sqliteTable('public_posts', {
  postId: id('post_id').primaryKey(),
  authorId: id('author_id').notNull(),
})
