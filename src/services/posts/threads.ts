import { and, eq, exists, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query as builder, changed, increment, one, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { fromShards, idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { posts, threadIndex } from './tables.ts'

const COMMENTS_PER_STEP = 100

type Comment = { postId: Id; rootId: Id | null; parentId: Id | null }
type Entry = { threadId: Id; postId: Id }

/** A comment is listed under its root and under the comment it replies to, while the comment and its root exist. */
export async function syncThreads(ctx: SystemCtx, { postId, rootId, parentId }: Comment): Promise<void> {
  const threads = new Set([rootId, parentId].filter((id) => id !== null))
  for (const threadId of threads) await indexComment(ctx, { threadId, postId, rootId: rootId ?? threadId })
}

export async function indexComment(ctx: SystemCtx, { rootId, ...entry }: Entry & { rootId: Id }): Promise<void> {
  const db = ctx.db.shardOf(entry.threadId)
  const needed = new Set(rootId === entry.threadId ? [entry.postId] : [entry.postId, rootId])
  await mirror(
    async () => (await fromShards(atPrimary(ctx), needed, existing)).length === needed.size,
    (isListed) => db.batch(isListed ? listing(db, entry) : unlisting(db, entry)),
  )
}

function existing(db: Database, ids: readonly Id[]) {
  return db.select({ id: posts.id }).from(posts).where(idIn(posts.id, ids))
}

function listing(db: Database, entry: Entry) {
  const isThread = exists(builder.select(one).from(posts).where(eq(posts.id, entry.threadId)))
  const add = db
    .insert(threadIndex)
    .select(rowIf(threadIndex, entry, isThread))
    .onConflictDoNothing()
  return [add, count(db, entry, 1)] as const
}

function unlisting(db: Database, entry: Entry) {
  const { threadId, postId } = entry
  const remove = db.delete(threadIndex).where(and(eq(threadIndex.threadId, threadId), eq(threadIndex.postId, postId)))
  return [remove, count(db, entry, -1)] as const
}

function count(db: Database, { threadId }: Entry, by: 1 | -1) {
  return db
    .update(posts)
    .set({ commentCount: increment(posts.commentCount, by) })
    .where(and(eq(posts.id, threadId), changed))
}

/** Deletes the comment list of a deleted post. For a root, also those of its comments, which nobody may read now. */
export async function deleteThread(ctx: SystemCtx, threadId: Id): Promise<void> {
  const list = ctx.db.shardOf(threadId)
  for (;;) {
    const rows = await list
      .select({ id: threadIndex.postId })
      .from(threadIndex)
      .where(eq(threadIndex.threadId, threadId))
      .limit(COMMENTS_PER_STEP)
    if (rows.length === 0) return
    const ids = rows.map((row) => row.id)
    await unlistReplies(ctx, threadId, ids)
    await list.delete(threadIndex).where(and(eq(threadIndex.threadId, threadId), idIn(threadIndex.postId, ids)))
  }
}

async function unlistReplies(ctx: SystemCtx, rootId: Id, ids: readonly Id[]): Promise<void> {
  const replies = await fromShards(ctx.db, ids, (db, group) =>
    db
      .select({ postId: posts.id, threadId: posts.parentId })
      .from(posts)
      .where(and(idIn(posts.id, group), ne(posts.parentId, rootId))),
  )
  const entries = replies.flatMap(({ postId, threadId }) => (threadId ? [{ postId, threadId }] : []))
  const groups = Map.groupBy(entries, ({ threadId }) => shardOf(threadId))
  await mapConcurrently([...groups], async ([shard, group]) => {
    const db = ctx.db.shard(shard)
    const [first, ...others] = group.flatMap((entry) => unlisting(db, entry))
    if (first) await db.batch([first, ...others])
  })
}
