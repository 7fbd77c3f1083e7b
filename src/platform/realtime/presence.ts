import { eq } from 'drizzle-orm'
import { sqliteTable } from 'drizzle-orm/sqlite-core'
import { createContext } from '../create-context.ts'
import { type Id, id } from '../data/ids.ts'

/** Accounts with an open socket. A row is deleted a minute after the account's hub notices that no socket is left. */
export const presence = sqliteTable('presence', { accountId: id('account_id').primaryKey() })

/** Called only by the account's hub. */
export async function setPresence(env: Env, accountId: Id, online: boolean): Promise<void> {
  const { db } = createContext({ env, waitUntil: () => {}, start: 'first-primary' })
  const shard = db.shardOf(accountId)
  if (online) await shard.insert(presence).values({ accountId }).onConflictDoNothing()
  else await shard.delete(presence).where(eq(presence.accountId, accountId))
}
