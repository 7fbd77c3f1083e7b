import { and, eq, exists, isNotNull, isNull, lt, lte, ne, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { changed, either, increment, one, query, valueIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { dayOf } from '../../platform/security/daily-quota.ts'
import { accountChanged, accountHidden, accountRenamed, accountShown } from './events.ts'
import { isActive } from './policy.ts'
import { accounts, type followers, follows, summaryColumns } from './tables.ts'

export function openAccount(db: Database, { id, handle }: { id: Id; handle: string }) {
  return [
    db.insert(accounts).values({ id, handle, displayName: handle, createdAt: db.now() }).onConflictDoNothing(),
    db.insert(follows).values({ followerId: id, id, followeeId: id }).onConflictDoNothing(),
    record(db, accountChanged, { accountId: id }, changed),
  ] as const
}

/** A display name that is still the handle changes too. */
export function renameAccount(db: Database, accountId: Id, handle: string) {
  const isHandle = eq(accounts.displayName, accounts.handle)
  return [
    db
      .update(accounts)
      .set({ handle, displayName: either<string>(isHandle, handle, accounts.displayName) })
      .where(and(eq(accounts.id, accountId), ne(accounts.handle, handle))),
    record(db, accountRenamed, { accountId }, changed),
  ] as const
}

export function setProfileImage(db: Database, accountId: Id, column: 'avatarId' | 'headerId', mediaId: Id | null) {
  return db
    .update(accounts)
    .set({ [column]: mediaId })
    .where(eq(accounts.id, accountId))
}

export function hideDeleted(db: Database, accountId: Id, deletedAt: number | null) {
  const isStale = deletedAt === null ? isNotNull(accounts.deletedAt) : isNull(accounts.deletedAt)
  return [
    db
      .update(accounts)
      .set({ deletedAt })
      .where(and(eq(accounts.id, accountId), isStale)),
    record(db, deletedAt === null ? accountShown : accountHidden, { accountId }, changed),
  ] as const
}

type Counter = 'followerCount' | 'followingCount'

/** Also updates the row for a comment, which adds 0 to the counts: `changed` then says if the account is active. */
export function countPost(
  db: Database,
  accountId: Id,
  post: { isComment: boolean; isPublic: boolean; mostPerDay: number },
) {
  const posted = today(db, accounts.postDay, accounts.postsToday)
  return db
    .update(accounts)
    .set({
      ...postCounts(post.isComment ? 0 : 1, post.isPublic ? 1 : 0),
      postDay: latest(db, accounts.postDay),
      postsToday: valueIf(lte(posted, post.mostPerDay), posted, 'post_quota'),
    })
    .where(and(eq(accounts.id, accountId), isActive))
    .returning(summaryColumns)
}

export function countImage(db: Database, accountId: Id, size: number, most: { images: number; bytes: number }) {
  const images = today(db, accounts.imageDay, accounts.imagesToday)
  const bytes = today(db, accounts.imageDay, accounts.imageBytesToday, size)
  return db
    .update(accounts)
    .set({
      imageDay: latest(db, accounts.imageDay),
      imagesToday: valueIf(lte(images, most.images), images, 'image_quota'),
      imageBytesToday: valueIf(lte(bytes, most.bytes), bytes, 'image_bytes_quota'),
    })
    .where(eq(accounts.id, accountId))
}

/** The day never goes back, so that a clock that runs behind cannot renew a quota. */
const latest = (db: Database, day: SQLiteColumn) => either(lt(day, dayOf(db.now())), dayOf(db.now()), day)
const today = (db: Database, day: SQLiteColumn, count: SQLiteColumn, by = 1) =>
  increment(either(lt(day, dayOf(db.now())), 0, count), by)

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

/** Whether a follow is in a count. Count a follow that ends before its row is deleted, and only if it is counted. */
export function isCounted(list: typeof follows | typeof followers, follow: SQL | undefined): SQL {
  return exists(
    query
      .select(one)
      .from(list)
      .where(and(follow, eq(list.hidden, false))),
  )
}

export function addTo(db: Database, accountId: Id, counter: Counter, by: 1 | -1, when: SQL) {
  return db
    .update(accounts)
    .set({ [counter]: increment(accounts[counter], by) })
    .where(and(eq(accounts.id, accountId), when))
}
