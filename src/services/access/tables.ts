import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** Roles that administrators made. The permissions of the built-in roles follow from `defineAction`. */
export const roles = sqliteTable('roles', {
  id: id('id').primaryKey(),
  name: text('name').notNull().unique(),
  description: text('description').notNull(),
  permissions: text('permissions', { mode: 'json' }).$type<string[]>().notNull(),
})

/** The rows of a deleted role stay until an event has removed the role from the guards of their accounts. */
export const accountRoles = sqliteTable(
  'account_roles',
  { accountId: id('account_id').notNull(), roleId: id('role_id').notNull() },
  (t) => [primaryKey({ columns: [t.accountId, t.roleId] })],
)

/** `thing` is like `post:456`, `until` epoch ms, null without an end. */
export const grants = sqliteTable('grants', {
  id: id('id').primaryKey(),
  accountId: id('account_id').notNull(),
  action: text('action').notNull(),
  thing: text('thing').notNull(),
  until: integer('until'),
})

export const accountAttributes = sqliteTable(
  'account_attributes',
  { accountId: id('account_id').notNull(), name: text('name').notNull(), value: text('value').notNull() },
  (t) => [primaryKey({ columns: [t.accountId, t.name] })],
)
