import { and, eq, inArray } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { feedIndex, lanes } from './tables.ts'

type Post = { id: Id; authorId: Id }

export function indexPosts(db: Database, posts: readonly Post[], listedIn: readonly number[] = [lanes.posts]) {
  const rows = posts.flatMap(({ id: postId, authorId }) => listedIn.map((lane) => ({ authorId, lane, postId })))
  return db.insert(feedIndex).values(rows).onConflictDoNothing()
}

export function indexOwnPost(db: Database, post: Post & { isComment: boolean; isPublic: boolean }) {
  const own = post.isComment ? [lanes.comments] : [lanes.posts, ...(post.isPublic ? [lanes.publicPosts] : [])]
  return indexPosts(db, [post], own)
}

export function unindexPost(db: Database, post: Post) {
  const anyLane = inArray(feedIndex.lane, Object.values(lanes))
  return db.delete(feedIndex).where(and(eq(feedIndex.authorId, post.authorId), anyLane, eq(feedIndex.postId, post.id)))
}
