import { eq } from 'drizzle-orm'
import { sqliteTable } from 'drizzle-orm/sqlite-core'
import type { Env } from '../config.ts'
import { createContext } from '../context.ts'
import { type Id, id } from '../data/ids.ts'

/** The accounts of a shard that have a socket open, or had one within the last minute. */
export const presence = sqliteTable('presence', { accountId: id('account_id').primaryKey() })

/** Marks an account online or offline on its own shard. Called by its hub. */
export async function setPresence(env: Env, accountId: Id, online: boolean): Promise<void> {
  const { db } = createContext({ env, waitUntil: () => {}, start: 'first-primary' })
  const shard = db.shardOf(accountId)
  if (online) await shard.insert(presence).values({ accountId }).onConflictDoNothing()
  else await shard.delete(presence).where(eq(presence.accountId, accountId))
}
