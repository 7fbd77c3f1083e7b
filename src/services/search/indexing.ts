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
import { postsToIndex } from './events.ts'
import { matches } from './match.ts'
import { inParts } from './parts.ts'
import { accountSearch, postSearch, tagPosts } from './tables.ts'
import { votePublished } from './votes.ts'

const POSTS_PER_STEP = 50
const REMOVED_PER_STEP = 500
const BLOCKS_PER_STEP = 500
/** Uses of hashtags are counted for so long. */
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

/** A comment is as public as its root, which its event does not say. */
export async function indexPublished(ctx: SystemCtx, events: readonly Published[]): Promise<void> {
  const open = events.filter(({ rootId, isPublic = true }) => rootId !== null || isPublic)
  const ids = open.map(({ postId }) => postId)
  await votePublished(ctx, await indexPosts(ctx, ids))
}

async function readPosts(ctx: SystemCtx, ids: readonly Id[]) {
  const { id, authorId, text, entities, media, rootId, visibility } = posts
  const primary = atPrimary(ctx)
  const rows = await fromShards(primary, ids, (db, group) =>
    db
      .select({ id, authorId, text, entities, media, rootId, handle: accounts.handle })
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
  const used = rows.filter(isRecent).flatMap((row) => tagsOf(row).map((tag) => ({ postId: row.id, tag })))
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
export async function unindexPost(ctx: SystemCtx, { postId }: { postId: Id }): Promise<void> {
  const db = ctx.db.index
  await db.batch(removal(db, [postId]))
  await unindexWith(db, threadFact(postId))
}

async function unindexWith(db: Database, fact: string): Promise<void> {
  const hasFact = matches(postSearch, `facts : "${fact}"`)
  for (;;) {
    const rows = await db.select({ id: postSearch.id }).from(postSearch).where(hasFact).limit(REMOVED_PER_STEP)
    const ids = rows.map(({ id }) => id)
    if (ids.length === 0) return
    await db.batch(removal(db, ids))
  }
}

/** For an erasure. The words of what was deleted stay in blocks of the index until these are merged. */
export async function unindexAccount(ctx: SystemCtx, { accountId }: Accounts): Promise<void> {
  const db = ctx.db.index
  await unindexWith(db, authorFact(accountId))
  await db.delete(accountSearch).where(eq(accountSearch.id, accountId))
  await mergeBlocks(ctx)
}

/** A bounded step, which does nothing if nothing was deleted or added. */
export async function mergeBlocks(ctx: SystemCtx): Promise<void> {
  for (const table of [postSearch, accountSearch]) {
    const name = sql.raw(getTableName(table))
    await ctx.db.index.run(sql`insert into ${name} (${name}, rank) values ('merge', ${-BLOCKS_PER_STEP})`)
  }
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
