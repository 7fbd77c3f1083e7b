import { and, eq } from 'drizzle-orm'
import { changed, increment } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { isActive } from './policy.ts'
import { accounts, follows } from './tables.ts'

export function openAccount(db: Database, { id, handle }: { id: Id; handle: string }) {
  return [
    db.insert(accounts).values({ id, handle, displayName: handle, createdAt: db.now() }).onConflictDoNothing(),
    db.insert(follows).values({ followerId: id, followeeId: id }).onConflictDoNothing(),
  ] as const
}

type Counter = 'followerCount' | 'followingCount'

/** Counts a post. A comment adds 0, so that the row changes and `changed` tells whether the account is active. */
export function countPost(db: Database, accountId: Id, post: { isComment: boolean; isPublic: boolean }) {
  return db
    .update(accounts)
    .set(postCounts(post.isComment ? 0 : 1, post.isPublic ? 1 : 0))
    .where(and(eq(accounts.id, accountId), isActive))
    .returning({ handle: accounts.handle, displayName: accounts.displayName })
}

/** Does nothing unless the previous statement of the batch changed a row. */
export function uncountPost(db: Database, accountId: Id, { isPublic }: { isPublic: boolean }) {
  return db
    .update(accounts)
    .set(postCounts(-1, isPublic ? -1 : 0))
    .where(and(eq(accounts.id, accountId), changed))
}

function postCounts(posts: number, publicPosts: number) {
  return {
    postCount: increment(accounts.postCount, posts),
    publicPostCount: increment(accounts.publicPostCount, publicPosts),
  }
}

/** Does nothing unless the previous statement of the batch changed a row. */
export function addTo(db: Database, accountId: Id, counter: Counter, by: 1 | -1) {
  return db
    .update(accounts)
    .set({ [counter]: increment(accounts[counter], by) })
    .where(and(eq(accounts.id, accountId), changed))
}
