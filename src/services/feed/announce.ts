import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently, settleConcurrently } from '../../platform/data/shards.ts'
import { pending } from '../../platform/events/events.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import { activeHubs } from '../../platform/realtime/hubs.ts'
import { accountBlocked } from '../accounts/events.ts'
import { isPublic } from '../posts/policy.ts'
import { posts } from '../posts/tables.ts'
import { homeChannel } from './channels.ts'
import { unindexElsewhere, unlist } from './replicate.ts'
import { listInFeeds, listPublicly } from './statements.ts'

type Post = { id: Id; authorId: Id }
type Announced = { postId: Id; authorId: Id; rootId: Id | null; isPublic?: boolean }
type Added = Post & { isPublic: boolean }

/** At most this many at once, because D1 accepts a hundred parameters. */
const STEP = 25

/** Adds new posts of one shard to the feed index of the other shards and to the public feed, and tells their followers. */
export async function indexAndAnnounce(ctx: SystemCtx, events: readonly Announced[]): Promise<void> {
  // Comments are listed on their own shard only. Events from before `isPublic` are listed, and then checked.
  const added = events.flatMap(({ postId: id, authorId, rootId, isPublic = true }) =>
    rootId === null ? [{ id, authorId, isPublic }] : [],
  )
  for (let at = 0; at < added.length; at += STEP) await announce(ctx, added.slice(at, at + STEP))
}

/** Lists first and reads the posts afterwards, once: a post that was deleted meanwhile is then removed again. */
async function announce(ctx: SystemCtx, added: readonly Added[]): Promise<void> {
  const [first] = added
  if (!first) return
  const own = shardOf(first.id)
  const others = ctx.db.shards.filter((shard) => shard !== own)
  const [indexed] = await Promise.all([
    mapConcurrently(others, (shard) => index(ctx.db.shard(shard), added)),
    listNew(ctx, added),
  ])
  const { found, blocked, hubs } = await readOwn(ctx, own, added)
  const listed = added.filter(({ id }) => found.has(id))
  const frames = listed.map((post) => frameFor(post, blocked.get(post.authorId)))
  await settleConcurrently([hubs, ...indexed], (names) => publish(ctx, names, frames))
  await mapConcurrently(added, async (post) => {
    if (!found.has(post.id)) await unindexElsewhere(ctx, post)
    if (post.isPublic && !found.get(post.id)) await unlist(ctx, post)
  })
}

function frameFor({ id: postId, authorId }: Post, except?: readonly Id[]) {
  const data = { postId, authorId }
  return frameOf(homeChannel, `author:${authorId}`, { key: `post:${postId}`, event: 'post.published', data, except })
}

async function index(db: Database, added: readonly Post[]) {
  const [, hubs] = await db.batch([listInFeeds(db, added), activeHubs(db)])
  return hubs
}

async function listNew(ctx: SystemCtx, added: readonly Added[]): Promise<void> {
  const rows = added.flatMap(({ id: postId, authorId, isPublic }) => (isPublic ? [{ postId, authorId }] : []))
  if (rows.length > 0) await listPublicly(ctx.db.index, rows)
}

/** What the shard of the posts says. A block waits in its outbox until the follow has ended on the other shard too. */
async function readOwn(ctx: SystemCtx, shard: number, added: readonly Post[]) {
  const db = atPrimary(ctx).shard(shard)
  const authors = [...new Set(added.map(({ authorId }) => authorId))]
  const ids = added.map(({ id }) => id)
  const [rows, blocks, hubs] = await db.batch([
    db
      .select({ id: posts.id, visibility: posts.visibility, rootId: posts.rootId })
      .from(posts)
      .where(idIn(posts.id, ids)),
    pending(db, accountBlocked, 'accountId', authors),
    activeHubs(db),
  ])
  const pairs = Map.groupBy(
    blocks.map(({ data }) => accountBlocked.data.parse(data)),
    ({ accountId }) => accountId,
  )
  const blocked = new Map([...pairs].map(([author, list]) => [author, list.map(({ otherId }) => otherId)]))
  return { found: new Map(rows.map((row) => [row.id, isPublic(row)])), blocked, hubs }
}
