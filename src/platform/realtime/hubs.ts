import { and, eq, lte } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Config } from '../config.ts'
import { createContext } from '../create-context.ts'
import type { Database } from '../data/databases.ts'
import { type Id, shardOf } from '../data/ids.ts'

/** The hubs of a shard that have listeners. A hub adds its row before it opens its first socket. */
export const hubs = sqliteTable('hubs', {
  name: text('name').primaryKey(),
  /** The life of the object that added the row: a late deletion by an earlier life changes nothing. */
  epoch: integer('epoch').notNull(),
})

/** `shard:hubs:number`. With another `HUBS_PER_SHARD`, the names are new, and the old hubs lose their listeners. */
export function hubName({ config }: { config: Config }, accountId: Id): string {
  const count = config.HUBS_PER_SHARD
  const hash = Math.imul(Number(accountId) % 2 ** 32, 0x9e37_79b1) >>> 16
  return `${shardOf(accountId)}:${count}:${hash % count}`
}

/** A statement that reads the hubs of the shard that have listeners. */
export function activeHubs(db: Database) {
  return db.select({ name: hubs.name }).from(hubs)
}

/** Called only by the hub. Its name begins with its shard. */
export async function setActive(env: Env, hub: typeof hubs.$inferSelect, isActive: boolean): Promise<void> {
  const { db } = createContext({ env, waitUntil: () => {}, start: 'first-primary' })
  const shard = db.shard(Number.parseInt(hub.name, 10))
  if (isActive) {
    const isLater = lte(hubs.epoch, hub.epoch)
    await shard.insert(hubs).values(hub).onConflictDoUpdate({ target: hubs.name, set: hub, setWhere: isLater })
  } else await shard.delete(hubs).where(and(eq(hubs.name, hub.name), lte(hubs.epoch, hub.epoch)))
}
