import { and, eq, inArray } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { feedIndex, lane } from './tables.ts'

/** Puts a post into the feed index of `db`; again changes nothing. */
export function indexPost(db: Database, post: { id: Id; authorId: Id; isComment: boolean }) {
  const row = { authorId: post.authorId, lane: post.isComment ? lane.comments : lane.posts, postId: post.id }
  return db.insert(feedIndex).values(row).onConflictDoNothing()
}

/** Takes a post out of the feed index of `db`, whichever lane it is in. */
export function unindexPost(db: Database, post: { id: Id; authorId: Id }) {
  const anyLane = inArray(feedIndex.lane, Object.values(lane))
  return db.delete(feedIndex).where(and(eq(feedIndex.authorId, post.authorId), anyLane, eq(feedIndex.postId, post.id)))
}
