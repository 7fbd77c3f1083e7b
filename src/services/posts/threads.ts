import { and, eq, exists, ne } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { SystemCtx } from '../../platform/context.ts'
import { query as builder, changed, flag, increment, one, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { fromShards, idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { isHidden } from '../accounts/policy.ts'
import { readHidden } from '../accounts/queries.ts'
import { posts, threadIndex } from './tables.ts'

const COMMENTS_PER_STEP = 100

export type Comment = { postId: Id; rootId: Id | null; parentId: Id | null }
type Entry = { threadId: Id; postId: Id }

/** A comment is listed under its root and under the comment it replies to, while the comment and its root exist. */
export async function syncThreads(ctx: SystemCtx, { postId, ...comment }: Comment): Promise<void> {
  for (const threadId of threadsOf(comment))
    await indexComment(ctx, { threadId, postId, rootId: comment.rootId ?? threadId })
}

export async function indexComment(ctx: SystemCtx, { rootId, ...entry }: Entry & { rootId: Id }): Promise<void> {
  const db = ctx.db.shardOf(entry.threadId)
  const needed = new Set(rootId === entry.threadId ? [entry.postId] : [entry.postId, rootId])
  await mirror(
    async () => {
      const found = await fromShards(atPrimary(ctx), needed, existing)
      return found.length === needed.size ? found.find(({ id }) => id === entry.postId) : undefined
    },
    (comment) => db.batch(comment ? listing(db, entry, comment.hidden) : unlisting(db, entry)),
  )
}

function existing(db: Database, ids: readonly Id[]) {
  return db
    .select({ id: posts.id, hidden: flag(isHidden(posts.authorId), 'is_hidden') })
    .from(posts)
    .where(idIn(posts.id, ids))
}

function listing(db: Database, entry: Entry, hidden: boolean) {
  const isThread = exists(builder.select(one).from(posts).where(eq(posts.id, entry.threadId)))
  const add = db
    .insert(threadIndex)
    .select(rowIf(threadIndex, { ...entry, hidden: false }, isThread))
    .onConflictDoNothing()
  return [add, count(db, entry, 1), ...marks(db, entry, hidden)] as const
}

function unlisting(db: Database, entry: Entry) {
  const counted = db.delete(threadIndex).where(and(rowOf(entry), eq(threadIndex.hidden, false)))
  return [counted, count(db, entry, -1), db.delete(threadIndex).where(rowOf(entry))] as const
}

function marks(db: Database, entry: Entry, hidden: boolean) {
  const stale = and(rowOf(entry), eq(threadIndex.hidden, !hidden))
  return [db.update(threadIndex).set({ hidden }).where(stale), count(db, entry, hidden ? -1 : 1)] as const
}

function rowOf({ threadId, postId }: Entry) {
  return and(eq(threadIndex.threadId, threadId), eq(threadIndex.postId, postId))
}

function count(db: Database, { threadId }: Entry, by: 1 | -1) {
  return db
    .update(posts)
    .set({ commentCount: increment(posts.commentCount, by) })
    .where(and(eq(posts.id, threadId), changed))
}

/** Deletes one step of the comment list of a deleted post, and for a root also of its comments. The event starts the next step. */
export async function deleteThread(
  ctx: SystemCtx,
  threadId: Id,
  next: (db: Database) => Promise<unknown>,
): Promise<void> {
  const list = ctx.db.shardOf(threadId)
  const rows = await list
    .select({ id: threadIndex.postId })
    .from(threadIndex)
    .where(eq(threadIndex.threadId, threadId))
    .limit(COMMENTS_PER_STEP)
  if (rows.length === 0) return
  const ids = rows.map((row) => row.id)
  await unlistReplies(ctx, threadId, ids)
  await list.delete(threadIndex).where(and(eq(threadIndex.threadId, threadId), idIn(threadIndex.postId, ids)))
  if (rows.length === COMMENTS_PER_STEP) await next(list)
}

async function unlistReplies(ctx: SystemCtx, rootId: Id, ids: readonly Id[]): Promise<void> {
  const replies = await fromShards(ctx.db, ids, (db, group) =>
    db
      .select({ postId: posts.id, threadId: posts.parentId })
      .from(posts)
      .where(and(idIn(posts.id, group), ne(posts.parentId, rootId))),
  )
  const entries = replies.flatMap(({ postId, threadId }) => (threadId ? [{ postId, threadId }] : []))
  await onShards(ctx, entries, unlisting)
}

/** Marks the comments of an account as those of a hidden or a shown author. */
export async function markComments(ctx: SystemCtx, authorId: Id, comments: readonly Comment[]): Promise<void> {
  const entries = comments.flatMap(({ postId, ...comment }) =>
    threadsOf(comment).map((threadId) => ({ threadId, postId })),
  )
  await mirror(
    () => readHidden(ctx, authorId),
    (hidden) => onShards(ctx, entries, (db, entry) => marks(db, entry, hidden)),
  )
}

type Change = readonly BatchItem<'sqlite'>[]

/** Changes entries on the shards of their threads, in one batch for each shard. */
async function onShards(ctx: SystemCtx, entries: readonly Entry[], change: (db: Database, entry: Entry) => Change) {
  const groups = Map.groupBy(entries, ({ threadId }) => shardOf(threadId))
  await mapConcurrently([...groups], async ([shard, group]) => {
    const db = ctx.db.shard(shard)
    const [first, ...others] = group.flatMap((entry) => change(db, entry))
    if (first) await db.batch([first, ...others])
  })
}

function threadsOf({ rootId, parentId }: Omit<Comment, 'postId'>): Id[] {
  return [...new Set([rootId, parentId].filter((id) => id !== null))]
}
