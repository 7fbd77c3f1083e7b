import { eq } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { type Context, Hono } from 'hono'

type Bindings = { Bindings: { DB: D1Database } }

const rows = sqliteTable('rows', { id: integer('id').primaryKey(), text: text('text').notNull() })

let db: DrizzleD1Database | null = null

async function readRow(c: Context<Bindings>, from: DrizzleD1Database) {
  const [row] = await from
    .select()
    .from(rows)
    .where(eq(rows.id, Number(c.req.param('id'))))
  return c.json(row)
}

// `/session` opens a D1 session per request, as the product does to let clients read their own writes from any replica.
export default new Hono<Bindings>()
  .get('/:id', (c) => {
    db ??= drizzle(c.env.DB)
    return readRow(c, db)
  })
  .get('/session/:id', (c) => readRow(c, drizzle(c.env.DB.withSession('first-unconstrained') as unknown as D1Database)))
