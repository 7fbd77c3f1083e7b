import { DurableObject } from 'cloudflare:workers'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'

const accounts = sqliteTable('accounts', { id: integer('id').primaryKey(), handle: text('handle').notNull() })
const Account = z.object({ id: z.number(), handle: z.string() }).openapi('Account')

const readAccount = createRoute({
  method: 'get',
  path: '/v1/feeds/home',
  request: { query: z.object({ limit: z.coerce.number().int().min(1).max(50).default(20) }) },
  responses: { 200: { description: '', content: { 'application/json': { schema: Account } } } },
})

/** The baseline: verifies a token, validates a query and reads a row, with the product's libraries and none of its code. */
export default new OpenAPIHono<{ Bindings: { SHARD_0: D1Database; PUBLIC_KEYS: JSONWebKeySet } }>().openapi(
  readAccount,
  async (c) => {
    const token = c.req.header('authorization')!.slice('Bearer '.length)
    const { payload } = await jwtVerify(token, createLocalJWKSet(c.env.PUBLIC_KEYS), { typ: 'at+jwt' })
    const [row] = await drizzle(c.env.SHARD_0)
      .select()
      .from(accounts)
      .where(eq(accounts.id, Number(payload.sub)))
    return c.json(row!, 200)
  },
)

export class RevocationFeed extends DurableObject {}
export class Hub extends DurableObject {}
export class AccessGuard extends DurableObject {}
export class Sweeper extends DurableObject {}
