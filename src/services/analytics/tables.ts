import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean } from '../../platform/data/columns.ts'
import { type Id, id } from '../../platform/data/ids.ts'

/** On the shard of the account. */
export const activityChoices = sqliteTable('activity_choices', {
  accountId: id('account_id').primaryKey(),
  agreed: boolean('agreed').notNull(),
  decidedAt: integer('decided_at').notNull(),
})

export const folds = sqliteTable('folds', {
  id: integer('id').primaryKey(),
  version: integer('version').notNull(),
})

/** `slot` is a part of the minute of its activities: see `slotOf`. It is open while it has counts that are not folded. */
export const slots = sqliteTable('slots', {
  slot: integer('slot').primaryKey(),
  version: integer('version').notNull(),
  open: boolean('open').notNull(),
  ids: text('ids', { mode: 'json' }).$type<string[]>().notNull(),
  site: text('site', { mode: 'json' }).$type<Record<string, number>>().notNull(),
  counts: text('counts', { mode: 'json' }).$type<Record<string, number>>().notNull(),
  members: text('members', { mode: 'json' }).$type<Record<string, string[]>>().notNull(),
})

const cell = { metric: text('metric').notNull(), bucket: text('bucket').notNull(), key: text('key').notNull() }

export const rollups = sqliteTable('rollups', { ...cell, n: integer('n').notNull() }, (t) => [
  primaryKey({ columns: [t.metric, t.bucket, t.key] }),
])

export const sketches = sqliteTable('sketches', { ...cell, sketch: text('sketch').notNull() }, (t) => [
  primaryKey({ columns: [t.metric, t.bucket, t.key] }),
])

export type Engaged = { postId: Id; n: number }
export const topPosts = sqliteTable('top_posts', {
  bucket: text('bucket').primaryKey(),
  posts: text('posts', { mode: 'json' }).$type<Engaged[]>().notNull(),
})
