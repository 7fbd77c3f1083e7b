import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** FTS5 without content: `text` and the others can be matched, but not read. The columns contain the tokens of `tokens.ts`. */
export const postSearch = sqliteTable('post_search', {
  id: id('rowid').primaryKey(),
  text: text('text').notNull(),
  tags: text('tags').notNull(),
  handle: text('handle').notNull(),
  facts: text('facts').notNull(),
})

export const accountSearch = sqliteTable('account_search', {
  id: id('rowid').primaryKey(),
  handle: text('handle').notNull(),
  name: text('name').notNull(),
  bio: text('bio').notNull(),
})

export const tagPosts = sqliteTable(
  'tag_posts',
  { postId: id('post_id').notNull(), tag: text('tag').notNull() },
  (t) => [primaryKey({ columns: [t.postId, t.tag] })],
)

/** Triggers count the rows of `tag_posts` here. */
export const tags = sqliteTable('tags', { tag: text('tag').primaryKey(), uses: integer('uses').notNull() })
