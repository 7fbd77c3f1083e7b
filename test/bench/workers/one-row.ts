import { eq } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'

const rows = sqliteTable('rows', { id: integer('id').primaryKey(), text: text('text').notNull() })

let db: DrizzleD1Database | null = null

export default new Hono<{ Bindings: { DB: D1Database } }>().get('/:id', async (c) => {
  db ??= drizzle(c.env.DB)
  const [row] = await db
    .select()
    .from(rows)
    .where(eq(rows.id, Number(c.req.param('id'))))
  return c.json(row)
})
