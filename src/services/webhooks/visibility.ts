import { and, eq, notExists } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { flag, one, query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts, blocks, follows } from '../accounts/tables.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { withdrawnLikes } from '../notifications/tables.ts'
import { isAddressedTo } from '../posts/policy.ts'
import { likes } from '../posts/tables.ts'
import { visiblePosts } from '../posts/views.ts'
import type { Owner } from './facts.ts'
import type { Subject } from './messages.ts'
import { isOwn } from './queries.ts'
import { type MessageType, webhookEndpoints } from './tables.ts'

/** Something that an endpoint is about to be told. `id` is that of the event. */
export type Telling = { id: Id; type: MessageType; data: Subject }

/** The endpoint as its owner's shard has it now, and which of these the owner may still be told. Null if it was deleted. */
export async function readEndpoint(ctx: SystemCtx, { webhookId, accountId }: Owner, tellings: readonly Telling[]) {
  const actorIds = idsOf(tellings, 'actorId')
  const postIds = idsOf(tellings, 'postId')
  const db = ctx.db.shardOf(accountId)
  const [[endpoint], blocked, liked] = await db.batch([
    db
      .select({ row: webhookEndpoints, isActive: flag(isActive, 'is_active') })
      .from(webhookEndpoints)
      .innerJoin(accounts, eq(accounts.id, webhookEndpoints.accountId))
      .where(isOwn(accountId, webhookId)),
    db
      .select({ id: blocks.otherId })
      .from(blocks)
      .where(and(eq(blocks.accountId, accountId), idIn(blocks.otherId, actorIds))),
    likesAmong(db, tellings),
  ])
  if (!endpoint) return null
  const viewer = asViewer(ctx, accountId)
  const [posts, actors, following] = await Promise.all([
    visiblePosts(viewer, postIds),
    loadAccountSummaries(viewer, actorIds),
    followersAmong(ctx, accountId, tellings),
  ])
  const [blockedIds, likeIds] = [new Set(blocked.map(({ id }) => id)), new Set(liked.map(({ id }) => id))]
  const isKnown = (actorId: Id | undefined) => !actorId || (actors.has(actorId) && !blockedIds.has(actorId))
  const { events } = endpoint.row
  const isCurrent = ({ id, type, data: { postId, actorId } }: Telling) => {
    const post = postId && posts.get(postId)
    if (type !== 'webhook.test' && !events.includes(type)) return false
    if (type === 'webhook.test' || type === 'post.deleted') return true
    if (type === 'account.followed') return actorId !== undefined && following.has(actorId)
    if (type === 'post.liked') return post && likeIds.has(id)
    return post && (type !== 'post.mentioned' || isAddressedTo(accountId, post))
  }
  const visible = endpoint.isActive
    ? tellings.filter((each) => isKnown(each.data.actorId) && Boolean(isCurrent(each)))
    : []
  return { endpoint: endpoint.row, visible: new Set(visible.map(({ id }) => id)) }
}

function idsOf(tellings: readonly Telling[], name: 'actorId' | 'postId', type?: MessageType): Id[] {
  const ids = tellings.flatMap((each) => (type === undefined || each.type === type ? (each.data[name] ?? []) : []))
  return [...new Set(ids)]
}

/** The likes that exist and, like their notifications, are not repeated ones. */
function likesAmong(db: ReturnType<SystemCtx['db']['shardOf']>, tellings: readonly Telling[]) {
  const ids = tellings.flatMap(({ id, type }) => (type === 'post.liked' ? id : []))
  const repeated = and(eq(withdrawnLikes.accountId, likes.accountId), eq(withdrawnLikes.postId, likes.postId))
  return db
    .select({ id: likes.id })
    .from(likes)
    .where(
      and(
        idIn(likes.postId, idsOf(tellings, 'postId', 'post.liked')),
        idIn(likes.id, ids),
        notExists(query.select(one).from(withdrawnLikes).where(repeated)),
      ),
    )
}

async function followersAmong(ctx: SystemCtx, accountId: Id, tellings: readonly Telling[]): Promise<Set<Id>> {
  const actorIds = idsOf(tellings, 'actorId', 'account.followed')
  const rows = await fromShards(ctx.db, actorIds, (db, ids) =>
    db
      .select({ id: follows.followerId })
      .from(follows)
      .where(and(idIn(follows.followerId, ids), eq(follows.followeeId, accountId))),
  )
  return new Set(rows.map(({ id }) => id))
}
