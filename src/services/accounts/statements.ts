import { and, eq } from 'drizzle-orm'
import { changed, increment } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { isActive } from './policy.ts'
import { accounts, follows } from './tables.ts'

export function openAccount(db: Database, { id, handle }: { id: Id; handle: string }) {
  return [
    db.insert(accounts).values({ id, handle, displayName: handle, createdAt: db.now() }).onConflictDoNothing(),
    db.insert(follows).values({ followerId: id, id, followeeId: id }).onConflictDoNothing(),
  ] as const
}

type Counter = 'followerCount' | 'followingCount' | 'postCount'

/** Counts a post. For a comment it adds 0, which is still an update, so `changed` is true if the account is active. */
export function countPost(db: Database, accountId: Id, { isComment }: { isComment: boolean }) {
  return db
    .update(accounts)
    .set({ postCount: increment(accounts.postCount, isComment ? 0 : 1) })
    .where(and(eq(accounts.id, accountId), isActive))
    .returning({ handle: accounts.handle, displayName: accounts.displayName })
}

/** Does nothing unless the previous statement of the batch changed a row. */
export function addTo(db: Database, accountId: Id, counter: Counter, by: 1 | -1) {
  return db
    .update(accounts)
    .set({ [counter]: increment(accounts[counter], by) })
    .where(and(eq(accounts.id, accountId), changed))
}
