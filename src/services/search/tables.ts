import { index, integer, primaryKey, real, sqliteTable, sqliteView, text } from 'drizzle-orm/sqlite-core'
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

export const tags = sqliteTable('tags', { tag: text('tag').primaryKey(), uses: integer('uses').notNull() })

export const tagFollows = sqliteTable(
  'tag_follows',
  { accountId: id('account_id').notNull(), tag: text('tag').notNull() },
  (t) => [primaryKey({ columns: [t.accountId, t.tag] })],
)

export const trendKinds = ['post', 'tag', 'link'] as const
export type TrendKind = (typeof trendKinds)[number]

export const trendVotes = sqliteTable(
  'trend_votes',
  {
    window: integer('window').notNull(),
    actorId: id('actor_id').notNull(),
    kind: text('kind', { enum: trendKinds }).notNull(),
    key: text('key').notNull(),
    lang: text('lang').notNull(),
    weight: real('weight').notNull(),
    /** The post or comment that gave the vote; for a like, the post. */
    sourceId: id('source_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.window, t.actorId, t.kind, t.key] }),
    index('trend_votes_by_key').on(t.kind, t.key, t.actorId),
  ],
)

const sums = {
  window: integer('window').notNull(),
  kind: text('kind', { enum: trendKinds }).notNull(),
  key: text('key').notNull(),
  lang: text('lang').notNull(),
  actors: integer('actors').notNull(),
  newcomers: real('newcomers').notNull(),
  others: real('others').notNull(),
}

/** The sums of hours that have ended. Triggers subtract votes that are withdrawn, and add late ones. */
export const trendHours = sqliteTable('trend_hours', sums, (t) => [
  primaryKey({ columns: [t.window, t.kind, t.key, t.lang] }),
])
export const trendFolds = sqliteTable('trend_folds', { window: integer('window').primaryKey() })
/** The sums of the votes that are still there. */
export const trendCounts = sqliteView('trend_counts', sums).existing()
/** Also of the hour that has not ended. */
export const trendSums = sqliteView('trend_sums', sums).existing()

export const hiddenTrends = sqliteTable(
  'hidden_trends',
  {
    kind: text('kind', { enum: trendKinds }).notNull(),
    key: text('key').notNull(),
    isHidden: integer('is_hidden', { mode: 'boolean' }).notNull(),
    eventId: id('event_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.key] })],
)

/** The ids of every 50,000th row of `post_search`. A page looks at the rows after one or two of them. */
export const searchMarks = sqliteTable('search_marks', { firstId: id('first_id').primaryKey() })

export const stages = ['posts', 'accounts'] as const

/** A row for each shard from which the index is rebuilt now. Ids up to `after` are done. */
export const rebuilds = sqliteTable('rebuilds', {
  shard: integer('shard').primaryKey(),
  stage: text('stage', { enum: stages }).notNull(),
  after: id('after').notNull(),
})
