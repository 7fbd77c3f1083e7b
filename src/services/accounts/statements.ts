import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { accounts, follows } from './tables.ts'

/** Opens an account on its shard, when it first logs in; doing it again changes nothing. */
export function openAccount(db: Database, { id, handle }: { id: Id; handle: string }) {
  return [
    db.insert(accounts).values({ id, handle, displayName: handle, createdAt: db.now() }).onConflictDoNothing(),
    db.insert(follows).values({ followerId: id, followeeId: id }).onConflictDoNothing(),
  ] as const
}

type Counter = 'followerCount' | 'followingCount' | 'postCount'

/**
 * Counts a post of the account, unless it is a comment, and answers its names. Either way the account's row is written,
 * so that `changes()` tells whether the account may write: of a suspended one it changes nothing.
 */
export function countPost(db: Database, accountId: Id, { isComment }: { isComment: boolean }) {
  return db
    .update(accounts)
    .set({ postCount: sql`${accounts.postCount} + ${isComment ? 0 : 1}` })
    .where(and(eq(accounts.id, accountId), isNull(accounts.suspendedAt)))
    .returning({ handle: accounts.handle, displayName: accounts.displayName })
}

/** Adds `by` to one of an account's counters if the statement before it in the batch changed something. */
export function addTo(db: Database, accountId: Id, counter: Counter, by: 1 | -1) {
  return db
    .update(accounts)
    .set({ [counter]: sql`${accounts[counter]} + ${by}` })
    .where(sql`${accounts.id} = ${Number(accountId)} and changes() > 0`)
}
