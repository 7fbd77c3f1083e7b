import { and, asc, eq, gt, isNull } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Id, shardOf, toId } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { accounts } from '../accounts/tables.ts'
import { listPublicly, unlistPosts } from '../feed/statements.ts'
import { publicPosts } from '../feed/tables.ts'
import { posts } from '../posts/tables.ts'
import { indexAccounts, indexPosts } from './indexing.ts'
import { LAST_ID } from './marks.ts'
import { accountSearch, postSearch, rebuilds } from './tables.ts'
import { voteLikesOf, votePublished } from './votes.ts'

const ROWS_PER_STEP = 50
const INDEXED_PER_STEP = 500
const STEPS_PER_RUN = 80

/** Each minute and shard. Two runs at once only do the same twice. */
export async function continueRebuild(ctx: SystemCtx, { name }: Database): Promise<void> {
  for (let step = 0; step < STEPS_PER_RUN; step++) if (!(await rebuildStep(ctx, Number(name)))) return
}

/** Makes the index agree with the next rows of a shard. Returns whether more follow. A step that fails is repeated. */
export async function rebuildStep(ctx: SystemCtx, shard: number): Promise<boolean> {
  const own = eq(rebuilds.shard, shard)
  const [progress] = await atPrimary(ctx).index.select().from(rebuilds).where(own)
  if (!progress) return false
  const { stage, after } = progress
  const isPosts = stage === 'posts'
  const { ids, end } = isPosts
    ? await nextIds(
        ctx,
        shard,
        after,
        [posts, posts.id],
        [postSearch, postSearch.id],
        [publicPosts, publicPosts.postId],
      )
    : await nextIds(ctx, shard, after, [accounts, accounts.id], [accountSearch, accountSearch.id])
  await (isPosts ? rebuildPosts(ctx, shard, ids) : rebuildAccounts(ctx, shard, ids))
  const isSame = and(own, eq(rebuilds.stage, stage), eq(rebuilds.after, after))
  const next = end === LAST_ID ? { stage: 'accounts' as const, after: toId(0) } : { after: end }
  const isDone = end === LAST_ID && !isPosts
  if (isDone) await ctx.db.index.delete(rebuilds).where(isSame)
  else await ctx.db.index.update(rebuilds).set(next).where(isSame)
  return !isDone
}

async function rebuildPosts(ctx: SystemCtx, shard: number, ids: readonly Id[]): Promise<void> {
  await votePublished(ctx, await indexPosts(ctx, ids))
  const db = ctx.db.index
  const { id: postId, authorId, visibility, rootId } = posts
  await mirror(
    async () =>
      atPrimary(ctx)
        .shard(shard)
        .select({ postId, authorId })
        .from(posts)
        .where(and(idIn(postId, ids), eq(visibility, 'public'), isNull(rootId))),
    async (rows) => {
      const found = new Set(rows.map((row) => row.postId))
      const gone = ids.filter((id) => !found.has(id))
      await db.batch([unlistPosts(db, gone), ...(rows.length > 0 ? [listPublicly(db, rows)] : [])])
    },
  )
}

async function rebuildAccounts(ctx: SystemCtx, shard: number, ids: readonly Id[]): Promise<void> {
  await indexAccounts(ctx, ids)
  await voteLikesOf(ctx, shard, ids)
}

type Source = [table: SQLiteTable, id: SQLiteColumn]

async function nextIds(ctx: SystemCtx, shard: number, after: Id, source: Source, ...copies: Source[]) {
  const primary = atPrimary(ctx)
  const read = async (db: Database, [table, id]: Source, limit: number) => {
    const rows = await db.select({ id }).from(table).where(gt(id, after)).orderBy(asc(id)).limit(limit)
    const ids = rows.map((row) => toId(Number(row.id)))
    return { ids, end: ids[limit - 1] ?? LAST_ID }
  }
  const parts = await Promise.all([
    read(primary.shard(shard), source, ROWS_PER_STEP),
    ...copies.map((copy) => read(primary.index, copy, INDEXED_PER_STEP)),
  ])
  const end = toId(Math.min(...parts.map((part) => Number(part.end))))
  const ids = new Set(parts.flatMap((part) => part.ids))
  return { ids: [...ids].filter((id) => shardOf(id) === shard && Number(id) <= Number(end)), end }
}
