import { and, eq, inArray } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { feedIndex, lanes, publicPosts } from './tables.ts'

type Post = { id: Id; authorId: Id }

export function listInFeeds(db: Database, posts: readonly Post[], listedIn: readonly number[] = [lanes.posts]) {
  const rows = posts.flatMap(({ id: postId, authorId }) => listedIn.map((lane) => ({ authorId, lane, postId })))
  return db.insert(feedIndex).values(rows).onConflictDoNothing()
}

export function listOwnPost(db: Database, post: Post & { isComment: boolean; isPublic: boolean }) {
  const own = post.isComment ? [lanes.comments] : [lanes.posts, ...(post.isPublic ? [lanes.publicPosts] : [])]
  return listInFeeds(db, [post], own)
}

export function unlistPost(db: Database, post: Post) {
  const anyLane = inArray(feedIndex.lane, Object.values(lanes))
  return db.delete(feedIndex).where(and(eq(feedIndex.authorId, post.authorId), anyLane, eq(feedIndex.postId, post.id)))
}

export function listPublicly(index: Database, rows: readonly { postId: Id; authorId: Id }[]) {
  return index
    .insert(publicPosts)
    .values([...rows])
    .onConflictDoNothing()
}

export function unlistPosts(index: Database, ids: readonly Id[]) {
  return index.delete(publicPosts).where(idIn(publicPosts.postId, ids))
}
