import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently, settleConcurrently } from '../../platform/data/shards.ts'
import { pending } from '../../platform/events/events.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import { activeHubs } from '../../platform/realtime/hubs.ts'
import { accountBlocked } from '../accounts/events.ts'
import { posts } from '../posts/tables.ts'
import { homeChannel } from './channels.ts'
import { unindexElsewhere } from './replicate.ts'
import { indexPosts } from './statements.ts'

type Post = { id: Id; authorId: Id }
type Announced = { postId: Id; authorId: Id; rootId: Id | null }

/** At most this many at once, because D1 accepts a hundred parameters. */
const STEP = 25

/** Adds new posts of one shard to the feed index of the other shards, and sends them to the sockets of followers. */
export async function indexAndAnnounce(ctx: SystemCtx, events: readonly Announced[]): Promise<void> {
  // Comments are listed on their own shard only.
  const added = events.flatMap(({ postId: id, authorId, rootId }) => (rootId === null ? [{ id, authorId }] : []))
  for (let at = 0; at < added.length; at += STEP) await announce(ctx, added.slice(at, at + STEP))
}

async function announce(ctx: SystemCtx, added: readonly Post[]): Promise<void> {
  const [first] = added
  if (!first) return
  const own = shardOf(first.id)
  const reading = readOwn(ctx, own, added)
  await settleConcurrently(ctx.db.shards, async (shard) => {
    const [{ listed, blocked, hubs }, elsewhere] = await Promise.all([
      reading,
      shard === own ? null : index(ctx.db.shard(shard), added),
    ])
    const frames = added.filter(({ id }) => listed.has(id)).map((post) => frameFor(post, blocked.get(post.authorId)))
    await publish(ctx, elsewhere ?? hubs, frames)
  })
  // A post that was deleted meanwhile may have been removed there before it was added.
  const { listed } = await readOwn(ctx, own, added)
  const deleted = added.filter(({ id }) => !listed.has(id))
  await mapConcurrently(deleted, (post) => unindexElsewhere(ctx, post))
}

function frameFor({ id: postId, authorId }: Post, except?: readonly Id[]) {
  const data = { postId, authorId }
  return frameOf(homeChannel, `author:${authorId}`, { key: `post:${postId}`, event: 'post.published', data, except })
}

async function index(db: Database, added: readonly Post[]) {
  const [, hubs] = await db.batch([indexPosts(db, added), activeHubs(db)])
  return hubs
}

/** What the shard of the posts says. A block waits in its outbox until the follow has ended on the other shard too. */
async function readOwn(ctx: SystemCtx, shard: number, added: readonly Post[]) {
  const db = atPrimary(ctx).shard(shard)
  const authors = [...new Set(added.map(({ authorId }) => authorId))]
  const ids = added.map(({ id }) => id)
  const [found, blocks, hubs] = await db.batch([
    db.select({ id: posts.id }).from(posts).where(idIn(posts.id, ids)),
    pending(db, accountBlocked, 'accountId', authors),
    activeHubs(db),
  ])
  const pairs = Map.groupBy(
    blocks.map(({ data }) => accountBlocked.data.parse(data)),
    ({ accountId }) => accountId,
  )
  const blocked = new Map([...pairs].map(([author, list]) => [author, list.map(({ otherId }) => otherId)]))
  return { listed: new Set(found.map(({ id }) => id)), blocked, hubs }
}
