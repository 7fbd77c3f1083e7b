import { and, asc, eq, getTableName, gt, lt, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { DAY_MS, deleteInSteps } from '../../platform/data/expiry.ts'
import { firstIdAt, type Id, timeOf } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { continueWith, record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { feedIndex, lanes } from '../feed/tables.ts'
import { posts } from '../posts/tables.ts'
import { authorFact, documentOf, profileDocumentOf, tagsOf, threadFact } from './documents.ts'
import { postsToIndex, threadToUnindex } from './events.ts'
import { matches } from './match.ts'
import { inParts } from './parts.ts'
import { accountSearch, postSearch, tagPosts } from './tables.ts'
import { forgetVotesFor, votePublished, withdrawVotesOf } from './votes.ts'

const POSTS_PER_STEP = 50
const REMOVED_PER_STEP = 500
const BLOCKS_PER_STEP = 2_000
const TAG_MS = 7 * DAY_MS

type Accounts = { accountId: Id }

/** Makes the index agree with the shards for these posts. Only public posts, and comments on them, of active accounts are in it. */
export async function indexPosts(ctx: SystemCtx, ids: readonly Id[]): Promise<Rows> {
  const indexed: Rows = []
  for (let at = 0; at < ids.length; at += POSTS_PER_STEP) {
    const step = ids.slice(at, at + POSTS_PER_STEP)
    const rows = await mirror(
      () => readPosts(ctx, step),
      (truth) => store(ctx, step, truth),
    )
    indexed.push(...rows)
  }
  return indexed
}

type Published = { postId: Id; rootId: Id | null; isPublic?: boolean }
type Own = { postId: Id; authorId: Id }

/** A comment is as public as its root, which its event does not say. */
export async function indexPublished(ctx: SystemCtx, { postId, rootId, isPublic = true }: Published): Promise<void> {
  if (rootId === null && !isPublic) return
  await votePublished(ctx, await indexPosts(ctx, [postId]))
}

export async function indexEdited(ctx: SystemCtx, post: Own): Promise<void> {
  const rows = await indexPosts(ctx, [post.postId])
  await withdrawVotesOf(ctx, post)
  await votePublished(ctx, rows)
}

async function readPosts(ctx: SystemCtx, ids: readonly Id[]) {
  const { id, authorId, text, entities, media, rootId, visibility, editedAt } = posts
  const primary = atPrimary(ctx)
  const rows = await fromShards(primary, ids, (db, group) =>
    db
      .select({ id, authorId, text, entities, media, rootId, editedAt, handle: accounts.handle })
      .from(posts)
      .innerJoin(accounts, eq(accounts.id, authorId))
      .where(and(idIn(id, group), eq(visibility, 'public'), isActive)),
  )
  const rootIds = rows.flatMap((row) => row.rootId ?? [])
  const roots = await fromShards(primary, rootIds, (db, group) => db.select({ id }).from(posts).where(idIn(id, group)))
  const existing = new Set(roots.map((root) => root.id))
  return rows.filter((row) => row.rootId === null || existing.has(row.rootId))
}

type Rows = Awaited<ReturnType<typeof readPosts>>

async function store(ctx: SystemCtx, ids: readonly Id[], rows: Rows): Promise<void> {
  const db = ctx.db.index
  const isRecent = ({ id }: { id: Id }) => timeOf(id) > ctx.now() - TAG_MS
  const used = rows
    .filter((row) => row.rootId === null && isRecent(row))
    .flatMap((row) => tagsOf(row).map((tag) => ({ postId: row.id, tag })))
  await db.batch([
    ...removal(db, ids),
    ...inParts(rows.map(documentOf), 5, (part) => db.insert(postSearch).values(part)),
    ...inParts(used, 2, (part) => db.insert(tagPosts).values(part).onConflictDoNothing()),
  ])
}

function removal(db: Database, ids: readonly Id[]) {
  return [
    db.delete(postSearch).where(idIn(postSearch.id, ids)),
    db.delete(tagPosts).where(idIn(tagPosts.postId, ids)),
  ] as const
}

/** With the comments on it, which nobody but those whom they address may still read. */
export async function unindexPost(ctx: SystemCtx, { postId, authorId }: Own): Promise<void> {
  const db = ctx.db.index
  await db.batch(removal(db, [postId]))
  await withdrawVotesOf(ctx, { postId, authorId })
  await forgetVotesFor(ctx, postId)
  if (await unindexSome(ctx, threadFact(postId))) {
    const source = ctx.db.shardOf(postId)
    await source.commit([record(source, threadToUnindex, { postId })])
  }
}

export async function continueUnindexing(ctx: SystemCtx, thread: { postId: Id }, eventId: Id): Promise<void> {
  const isLeft = await unindexSome(ctx, threadFact(thread.postId))
  if (isLeft) await continueWith(ctx.db.shardOf(thread.postId), eventId, threadToUnindex, thread)
}

async function unindexSome(ctx: SystemCtx, fact: string): Promise<boolean> {
  const db = ctx.db.index
  const hasFact = matches(postSearch, `facts : "${fact}"`)
  const rows = await db.select({ id: postSearch.id }).from(postSearch).where(hasFact).limit(REMOVED_PER_STEP)
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) await db.batch(removal(db, ids))
  return ids.length === REMOVED_PER_STEP
}

/** A step of an erasure. Deleted words stay in blocks of the index until these are merged. Returns whether nothing is left. */
export async function unindexAccount(ctx: SystemCtx, { accountId }: Accounts): Promise<boolean> {
  if (await unindexSome(ctx, authorFact(accountId))) return false
  await ctx.db.index.delete(accountSearch).where(eq(accountSearch.id, accountId))
  return mergeBlocks(ctx)
}

/** A bounded step. Returns whether nothing is left to merge. */
export async function mergeBlocks(ctx: SystemCtx): Promise<boolean> {
  let isDone = true
  for (const table of [postSearch, accountSearch]) {
    const name = sql.raw(getTableName(table))
    const merge = sql`insert into ${name} (${name}, rank) values ('merge', ${-BLOCKS_PER_STEP})`
    const { meta } = await ctx.db.index.run(merge)
    isDone &&= meta.changes < 2
  }
  return isDone
}

export async function startIndexing(ctx: SystemCtx, { accountId }: Accounts): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    record(db, postsToIndex, { accountId, lane: lanes.posts, after: null }),
    record(db, postsToIndex, { accountId, lane: lanes.comments, after: null }),
  ])
}

type Step = Accounts & { lane: number; after: Id | null }

/** Indexes the next posts of an account, and records the step after this one. */
export async function continueIndexing(ctx: SystemCtx, step: Step, eventId: Id): Promise<void> {
  const { accountId, lane, after } = step
  const db = ctx.db.shardOf(accountId)
  const own = and(eq(feedIndex.authorId, accountId), eq(feedIndex.lane, lane))
  const rows = await atPrimary(ctx)
    .shardOf(accountId)
    .select({ id: feedIndex.postId })
    .from(feedIndex)
    .where(and(own, after ? gt(feedIndex.postId, after) : undefined))
    .orderBy(asc(feedIndex.postId))
    .limit(POSTS_PER_STEP)
  const ids = rows.map(({ id }) => id)
  await indexPosts(ctx, ids)
  const last = ids[POSTS_PER_STEP - 1]
  if (last) await continueWith(db, eventId, postsToIndex, { ...step, after: last })
}

export function indexAccount(ctx: SystemCtx, { accountId }: Accounts): Promise<void> {
  return indexAccounts(ctx, [accountId])
}

export async function indexAccounts(ctx: SystemCtx, ids: readonly Id[]): Promise<void> {
  const { id, handle, displayName, bio } = accounts
  const db = ctx.db.index
  await mirror(
    () =>
      fromShards(atPrimary(ctx), ids, (source, group) =>
        source
          .select({ id, handle, displayName, bio })
          .from(accounts)
          .where(and(idIn(id, group), isActive)),
      ),
    (rows) =>
      db.batch([
        db.delete(accountSearch).where(idIn(accountSearch.id, ids)),
        ...inParts(rows.map(profileDocumentOf), 4, (part) => db.insert(accountSearch).values(part)),
      ]),
  )
}

/** Triggers then count the uses of tags without the old posts. */
export async function forgetOldTags(ctx: SystemCtx): Promise<void> {
  const isOld = lt(tagPosts.postId, firstIdAt(ctx.now() - TAG_MS))
  await deleteInSteps(ctx.db.index, tagPosts, [tagPosts.postId, tagPosts.tag], isOld)
}
