import { and, desc, eq, exists, inArray, lte } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import { firstIdAt, type Id } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { openAllFor } from '../../platform/security/account-keys.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts, blocks, followers, follows } from '../accounts/tables.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { GROUP_NAME, newsFor } from '../messaging/queries.ts'
import { conversations } from '../messaging/tables.ts'
import { type Item, type Items, MAX_NAME, MAX_QUOTE, short } from './items.ts'
import { audienceOf, type Settings } from './preferences.ts'
import type { Claimed } from './rows.ts'
import { channelOf, deliveries } from './tables.ts'

/** The conversations with unread messages about which the account wants mails or pushes, newest first. */
export async function readMessageItems(ctx: SystemCtx, claimed: Claimed, settings: Settings): Promise<Items> {
  const { accountId } = claimed
  const rows = await selectRows(ctx, claimed)
  const news = await mapConcurrently(rows, ({ conversationId }) => newsFor(ctx, conversationId ?? '', accountId))
  const found = rows.map((row, i) => ({ row, ...(news[i] ?? { unread: 0, latest: [] }) }))
  const relations = await readRelations(
    ctx,
    accountId,
    found.flatMap(({ latest }) => latest.map(({ authorId }) => authorId)),
  )
  const names = await openAllFor(
    ctx,
    accountId,
    rows.map(({ name, state }) => (settings.includeMessages && state === 'active' ? name : null)),
    GROUP_NAME,
  )
  const items = found.flatMap(({ row, unread, latest }, i): Item[] => {
    const kind = row.state === 'request' ? 'messageRequest' : 'message'
    const audience = audienceOf(settings.rules, kind, channelOf(claimed.channel))
    const message = latest.find(({ authorId, at }) => relations.isIn(audience, authorId, firstIdAt(at)))
    const author = message && relations.known.get(message.authorId)
    if (!author || row.conversationId === null) return []
    const isQuoted = settings.includeMessages && row.state === 'active'
    return [
      {
        id: row.id,
        kind,
        title: titleOf({ ...row, unread }, short(author.displayName, MAX_NAME), names[i] ?? null),
        quote: isQuoted && message.preview ? short(message.preview, MAX_QUOTE) : null,
        path: `/messages/${row.conversationId}`,
        topic: row.conversationId,
        tag: row.conversationId,
        isUrgent: row.state === 'active',
        since: row.firstAt ?? 0,
      },
    ]
  })
  return { items }
}

type Row = Awaited<ReturnType<typeof selectRows>>[number]
type Titled = Pick<Row, 'kind' | 'state'> & { unread: number }

function titleOf({ kind, state, unread }: Titled, author: string, name: string | null): string {
  const group = name === null ? 'a group' : `“${short(name, MAX_NAME)}”`
  if (state === 'request')
    return kind === 'group' ? `${author} invited you to a group` : `${author} wants to message you`
  if (kind === 'group') return unread > 1 ? `${unread} new messages in ${group}` : `${author} wrote in ${group}`
  return unread > 1 ? `${author} sent you ${unread} messages` : `${author} sent you a message`
}

function selectRows(ctx: SystemCtx, { accountId, channel, newest }: Claimed) {
  const { eventId: id, firstAt, conversationId } = deliveries
  const { state, kind, name, mutedUntil } = conversations
  const active = query
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, accountId), isActive))
  const inbox = and(eq(conversations.accountId, deliveries.accountId), eq(conversations.conversationId, conversationId))
  const isClaimed = and(eq(deliveries.accountId, accountId), eq(deliveries.channel, channel), idIn(id, newest))
  return ctx.db
    .shardOf(accountId)
    .select({ id, firstAt, conversationId, state, kind, name })
    .from(deliveries)
    .innerJoin(conversations, inbox)
    .where(and(isClaimed, inArray(state, ['active', 'request']), lte(mutedUntil, ctx.now()), exists(active)))
    .orderBy(desc(id))
}

/** Whom the account may know and does not block, and whether an author was in an audience at the time of a message. */
async function readRelations(ctx: SystemCtx, accountId: Id, authorIds: readonly Id[]) {
  const db = ctx.db.shardOf(accountId)
  const [summaries, [followed, following, blocked]] = await Promise.all([
    loadAccountSummaries(asViewer(ctx, accountId), [...new Set(authorIds)]),
    db.batch([
      db
        .select({ id: follows.followeeId, since: follows.id })
        .from(follows)
        .where(and(eq(follows.followerId, accountId), idIn(follows.followeeId, authorIds))),
      db
        .select({ id: followers.followerId, since: followers.id })
        .from(followers)
        .where(and(eq(followers.accountId, accountId), idIn(followers.followerId, authorIds))),
      db
        .select({ id: blocks.otherId })
        .from(blocks)
        .where(and(eq(blocks.accountId, accountId), idIn(blocks.otherId, authorIds))),
    ]),
  ])
  const since = {
    followed: new Map(followed.map((row) => [row.id, row.since])),
    followers: new Map(following.map((row) => [row.id, row.since])),
  }
  const apart = new Set(blocked.map(({ id }) => id))
  const known = new Map([...summaries].filter(([id]) => !apart.has(id)))
  const isIn = (audience: ReturnType<typeof audienceOf>, authorId: Id, at: Id) => {
    if (audience === 'nobody' || !known.has(authorId)) return false
    if (audience === 'everyone') return true
    const start = since[audience].get(authorId)
    return start !== undefined && Number(start) < Number(at)
  }
  return { known, isIn }
}
