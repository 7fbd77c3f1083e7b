import { and, eq } from 'drizzle-orm'
import { changed, increment } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { isActive } from './policy.ts'
import { accounts, follows, summaryColumns } from './tables.ts'

export function openAccount(db: Database, { id, handle }: { id: Id; handle: string }) {
  return [
    db.insert(accounts).values({ id, handle, displayName: handle, createdAt: db.now() }).onConflictDoNothing(),
    db.insert(follows).values({ followerId: id, followeeId: id }).onConflictDoNothing(),
  ] as const
}

export function setProfileImage(db: Database, accountId: Id, column: 'avatarId' | 'headerId', mediaId: Id | null) {
  return db
    .update(accounts)
    .set({ [column]: mediaId })
    .where(eq(accounts.id, accountId))
}

type Counter = 'followerCount' | 'followingCount' | 'postCount'

/** Counts a post. A comment adds 0, so that the row changes and `changed` tells whether the account is active. */
export function countPost(db: Database, accountId: Id, { isComment }: { isComment: boolean }) {
  return db
    .update(accounts)
    .set({ postCount: increment(accounts.postCount, isComment ? 0 : 1) })
    .where(and(eq(accounts.id, accountId), isActive))
    .returning(summaryColumns)
}

/** Does nothing unless the previous statement of the batch changed a row. */
export function addTo(db: Database, accountId: Id, counter: Counter, by: 1 | -1) {
  return db
    .update(accounts)
    .set({ [counter]: increment(accounts[counter], by) })
    .where(and(eq(accounts.id, accountId), changed))
}
