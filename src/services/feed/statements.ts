import { and, eq, inArray } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { feedIndex, lanes } from './tables.ts'

export function indexPost(db: Database, post: { id: Id; authorId: Id; isComment: boolean }) {
  const row = { authorId: post.authorId, lane: post.isComment ? lanes.comments : lanes.posts, postId: post.id }
  return db.insert(feedIndex).values(row).onConflictDoNothing()
}

export function unindexPost(db: Database, post: { id: Id; authorId: Id }) {
  const anyLane = inArray(feedIndex.lane, Object.values(lanes))
  return db.delete(feedIndex).where(and(eq(feedIndex.authorId, post.authorId), anyLane, eq(feedIndex.postId, post.id)))
}
