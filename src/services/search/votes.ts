import { and, eq, inArray, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS, deleteInSteps } from '../../platform/data/expiry.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { isPublic } from '../posts/policy.ts'
import { posts } from '../posts/tables.ts'
import { tagsOf } from './documents.ts'
import { languageOf } from './language.ts'
import { inParts } from './parts.ts'
import { type TrendKind, trendVotes } from './tables.ts'

export const WINDOW_MS = 3_600_000
export const WINDOWS = 24
/** Accounts that are younger have almost no weight, because they are cheap to make. */
const NEWCOMER_DAYS = 7
export const NEWCOMER_WEIGHT = 0.02
const FULL_WEIGHT_DAYS = 30
const COLUMNS = 6

export const windowOf = (time: number) => Math.floor(time / WINDOW_MS)

/** From 0.02 to 1, by the age of the account, which its id contains. All accounts have a verified address. */
export function weightOf(actorId: Id, now: number): number {
  const days = (now - timeOf(actorId)) / DAY_MS
  return days < NEWCOMER_DAYS ? NEWCOMER_WEIGHT : Math.min(1, days / FULL_WEIGHT_DAYS)
}

type Vote = { actorId: Id; kind: TrendKind; key: string; lang: string }
type Published = { postId: Id; authorId: Id; rootId: Id | null }
type Like = { postId: Id; actorId: Id }

/** A post gives weight to its hashtags and links, and a comment to the post at the top of its thread. */
export async function votePublished(ctx: SystemCtx, events: readonly Published[]): Promise<void> {
  const found = await publicPosts(
    ctx,
    events.map(({ postId, rootId }) => rootId ?? postId),
  )
  const votes = events.flatMap(({ postId, rootId, authorId: actorId }): Vote[] => {
    const post = found.get(rootId ?? postId)
    if (!post) return []
    const { lang, authorId, entities } = post
    if (rootId) return actorId === authorId ? [] : [{ actorId, kind: 'post', key: rootId, lang }]
    const links = new Set(entities.flatMap((entity) => (entity.kind === 'link' ? [entity.url] : [])))
    return [
      ...tagsOf(post).map((key): Vote => ({ actorId, kind: 'tag', key, lang })),
      ...[...links].map((key): Vote => ({ actorId, kind: 'link', key, lang })),
    ]
  })
  await store(ctx, votes)
}

export async function voteLiked(ctx: SystemCtx, likes: readonly Like[]): Promise<void> {
  const found = await publicPosts(
    ctx,
    likes.map(({ postId }) => postId),
  )
  const votes = likes.flatMap(({ postId: key, actorId }): Vote[] => {
    const post = found.get(key)
    return post && post.authorId !== actorId ? [{ actorId, kind: 'post', key, lang: post.lang }] : []
  })
  await store(ctx, votes)
}

async function publicPosts(ctx: SystemCtx, ids: readonly Id[]) {
  const { id, authorId, text, entities, visibility, rootId } = posts
  const rows = await fromShards(atPrimary(ctx), ids, (db, group) =>
    db
      .select({ id, authorId, text, entities, visibility, rootId })
      .from(posts)
      .innerJoin(accounts, eq(accounts.id, authorId))
      .where(and(idIn(id, group), isActive)),
  )
  const open = rows.filter(isPublic)
  return new Map(open.map((row) => [row.id, { ...row, lang: languageOf(row.text) ?? '' }]))
}

async function store(ctx: SystemCtx, votes: readonly Vote[]): Promise<void> {
  const db = ctx.db.index
  const now = ctx.now()
  const rows = votes.map((vote) => ({ ...vote, window: windowOf(now), weight: weightOf(vote.actorId, now) }))
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

/** Of an account that is hidden or erased. */
export async function withdrawVotes(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await ctx.db.index.delete(trendVotes).where(ownVotes(ctx, accountId))
}

export async function forgetOldVotes(ctx: SystemCtx): Promise<void> {
  const { window, actorId, kind, key } = trendVotes
  const isOld = lt(window, windowOf(ctx.now()) - WINDOWS)
  await deleteInSteps(ctx.db.index, trendVotes, [window, actorId, kind, key], isOld)
}
