import { and, asc, desc, eq, gt, inArray, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary, type Databases } from '../../platform/data/databases.ts'
import { DAY_MS, deleteInSteps } from '../../platform/data/expiry.ts'
import { firstIdAt, Id, timeOf } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { feedIndex, lanes } from '../feed/tables.ts'
import { isPublic } from '../posts/policy.ts'
import { likedPosts, likes, posts } from '../posts/tables.ts'
import { tagsOf } from './documents.ts'
import { languageOf } from './language.ts'
import { inParts } from './parts.ts'
import { type TrendKind, trendFolds, trendHours, trendVotes } from './tables.ts'
import { newcomerDays } from './variables.ts'

export const WINDOW_MS = 3_600_000
export const WINDOWS = 24
/** Of young accounts, because they are cheap to make. */
export const NEWCOMER_WEIGHT = 0.02
const FULL_WEIGHT_DAYS = 30
const COLUMNS = 7
const LIKES_PER_PART = 500
const LATEST = 100

export const windowOf = (time: number) => Math.floor(time / WINDOW_MS)

/** From 0.02 to 1, by the age of the account, which its id contains. All accounts have a verified address. */
export function weightOf(ctx: { env: Env }, actorId: Id, at: number): number {
  const days = (at - timeOf(actorId)) / DAY_MS
  return days < newcomerDays(ctx) ? NEWCOMER_WEIGHT : Math.min(1, Math.max(1, days) / FULL_WEIGHT_DAYS)
}

/** `at`: when it was given, epoch ms. */
type Vote = { actorId: Id; kind: TrendKind; key: string; lang: string; sourceId: Id; at: number }
type Like = { postId: Id; actorId: Id }
type Indexed = Pick<typeof posts.$inferSelect, 'id' | 'authorId' | 'rootId' | 'text' | 'entities' | 'editedAt'>

/** A post gives weight to its hashtags and links, and a comment to the post at the top of its thread. */
export async function votePublished(ctx: SystemCtx, indexed: readonly Indexed[]): Promise<void> {
  const roots = await publicPosts(
    atPrimary(ctx),
    indexed.flatMap(({ rootId }) => rootId ?? []),
  )
  const votes = indexed.flatMap(({ id: sourceId, authorId: actorId, rootId, text, entities, editedAt }): Vote[] => {
    const from = { actorId, sourceId, at: editedAt ?? timeOf(sourceId) }
    if (rootId) return forPost(roots.get(rootId), from)
    const lang = languageOf(text) ?? ''
    const links = new Set(entities.flatMap((entity) => (entity.kind === 'link' ? [entity.url] : [])))
    return [
      ...tagsOf({ entities }).map((key): Vote => ({ ...from, kind: 'tag', key, lang })),
      ...[...links].map((key): Vote => ({ ...from, kind: 'link', key, lang })),
    ]
  })
  await store(ctx, votes)
}

/** Only a like that still exists, and is not of a hidden account. */
export async function voteLiked(ctx: SystemCtx, { postId, actorId }: Like, likeId: Id): Promise<void> {
  // The databases of a consumer begin at their primaries. So these selects can share the trip of the notification.
  const [found, rows] = await Promise.all([publicPosts(ctx.db, [postId]), likesOf(ctx.db, [postId], [actorId])])
  await store(
    ctx,
    rows.flatMap((row) => likeOf(found, { ...row, actorId: row.accountId, at: timeOf(likeId) })),
  )
}

const likeOf = (found: ReadonlyMap<Id, Target>, { postId, actorId, at }: Like & { at: number }): Vote[] =>
  forPost(found.get(postId), { actorId, at, sourceId: postId })

/** What accounts of one shard have liked since yesterday, in bounded parts. */
export async function voteLikesOf(ctx: SystemCtx, shard: number, accountIds: readonly Id[]): Promise<void> {
  const { id, accountId, postId } = likedPosts
  const primary = atPrimary(ctx)
  for (let after = firstIdAt((windowOf(ctx.now()) - WINDOWS) * WINDOW_MS), isLeft = true; isLeft; ) {
    const rows = await primary
      .shard(shard)
      .select({ id, postId, actorId: accountId })
      .from(likedPosts)
      .innerJoin(accounts, eq(accounts.id, accountId))
      .where(and(idIn(accountId, accountIds), gt(id, after), isActive))
      .orderBy(asc(id))
      .limit(LIKES_PER_PART)
    const found = await publicPosts(
      primary,
      rows.map(({ postId: liked }) => liked),
    )
    await store(
      ctx,
      rows.flatMap((row) => likeOf(found, { ...row, at: timeOf(row.id) })),
    )
    after = rows.at(-1)?.id ?? after
    isLeft = rows.length === LIKES_PER_PART
  }
}

export async function withdrawVotesOf(
  ctx: SystemCtx,
  { postId, authorId }: { postId: Id; authorId: Id },
): Promise<void> {
  const given = and(ownVotes(ctx, authorId), eq(trendVotes.sourceId, postId))
  const { kind, key } = trendVotes
  const withdrawn = await ctx.db.index.delete(trendVotes).where(given).returning({ kind, key })
  if (withdrawn.length === 0) return
  await votePublished(ctx, await latestPosts(ctx, authorId))
  const keys = withdrawn.flatMap((vote) => (vote.kind === 'post' ? (Id.safeParse(vote.key).data ?? []) : []))
  for (const row of await likesOf(atPrimary(ctx), keys, [authorId])) {
    await voteLiked(ctx, { postId: row.postId, actorId: authorId }, row.id)
  }
}

/** Other posts of the author may have the same hashtags and links. */
async function latestPosts(ctx: SystemCtx, author: Id): Promise<Indexed[]> {
  const { id, authorId, rootId, text, entities, editedAt, visibility } = posts
  return atPrimary(ctx)
    .shardOf(author)
    .select({ id, authorId, rootId, text, entities, editedAt })
    .from(feedIndex)
    .innerJoin(posts, eq(posts.id, feedIndex.postId))
    .innerJoin(accounts, eq(accounts.id, authorId))
    .where(
      and(
        eq(feedIndex.authorId, author),
        inArray(feedIndex.lane, [lanes.posts, lanes.comments]),
        gt(feedIndex.postId, firstIdAt((windowOf(ctx.now()) - WINDOWS) * WINDOW_MS)),
        eq(visibility, 'public'),
        isActive,
      ),
    )
    .orderBy(desc(feedIndex.postId))
    .limit(LATEST)
}

/** Of everybody, for a deleted post. */
export async function forgetVotesFor(ctx: SystemCtx, postId: Id): Promise<void> {
  const ofPost = and(eq(trendVotes.kind, 'post'), eq(trendVotes.key, postId))
  await ctx.db.index.delete(trendVotes).where(ofPost)
}

function likesOf(databases: Databases, ids: readonly Id[], actors: readonly Id[]) {
  const { id, postId, accountId, hidden } = likes
  return fromShards(databases, ids, (db, group) =>
    db
      .select({ id, postId, accountId })
      .from(likes)
      .where(and(idIn(postId, group), idIn(accountId, actors), eq(hidden, false))),
  )
}

type Target = { id: Id; authorId: Id; lang: string }

function forPost(post: Target | undefined, from: Pick<Vote, 'actorId' | 'sourceId' | 'at'>): Vote[] {
  if (!post || post.authorId === from.actorId) return []
  return [{ ...from, kind: 'post', key: post.id, lang: post.lang }]
}

async function publicPosts(databases: Databases, ids: readonly Id[]) {
  const { id, authorId, text, visibility, rootId } = posts
  const rows = await fromShards(databases, ids, (db, group) =>
    db
      .select({ id, authorId, text, visibility, rootId })
      .from(posts)
      .innerJoin(accounts, eq(accounts.id, authorId))
      .where(and(idIn(id, group), isActive)),
  )
  const open = rows.filter(isPublic)
  return new Map(open.map((row) => [row.id, { ...row, lang: languageOf(row.text) ?? '' }]))
}

async function store(ctx: SystemCtx, votes: readonly Vote[]): Promise<void> {
  const db = ctx.db.index
  const oldest = windowOf(ctx.now()) - WINDOWS
  const rows = votes
    .map(({ at, ...vote }) => ({ ...vote, window: windowOf(at), weight: weightOf(ctx, vote.actorId, at) }))
    .filter(({ window }) => window >= oldest)
  const [first, ...others] = inParts(rows, COLUMNS, (part) => db.insert(trendVotes).values(part).onConflictDoNothing())
  if (first) await db.batch([first, ...others])
}

function ownVotes(ctx: SystemCtx, actorId: Id) {
  const last = windowOf(ctx.now())
  const windows = Array.from({ length: WINDOWS + 2 }, (_, i) => last + 1 - i)
  return and(inArray(trendVotes.window, windows), eq(trendVotes.actorId, actorId))
}

export async function withdrawLike(ctx: SystemCtx, { postId, actorId }: Like): Promise<void> {
  const own = and(ownVotes(ctx, actorId), eq(trendVotes.kind, 'post'), eq(trendVotes.key, postId))
  await ctx.db.index.delete(trendVotes).where(own)
}

export async function withdrawVotes(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await ctx.db.index.delete(trendVotes).where(ownVotes(ctx, accountId))
}

/** The sums first, so that the triggers of the votes find none. */
export async function forgetOldVotes(ctx: SystemCtx): Promise<void> {
  const db = ctx.db.index
  const { window, actorId, kind, key } = trendVotes
  const oldest = windowOf(ctx.now()) - WINDOWS
  await db.delete(trendFolds).where(lt(trendFolds.window, oldest))
  await deleteInSteps(
    db,
    trendHours,
    [trendHours.window, trendHours.kind, trendHours.key, trendHours.lang],
    lt(trendHours.window, oldest),
  )
  await deleteInSteps(db, trendVotes, [window, actorId, kind, key], lt(window, oldest))
}
