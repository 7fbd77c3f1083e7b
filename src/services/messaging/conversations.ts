import { z } from '@hono/zod-openapi'
import { and, asc, count, eq, exists, gt, inArray, isNotNull, lte, ne, sum } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query as builder, flag, one } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { DEFAULT_LIMIT, loadPage, MAX_LIMIT, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { openAllFor } from '../../platform/security/account-keys.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { blocksOther, knownTo } from '../accounts/policy.ts'
import { accounts, follows } from '../accounts/tables.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { answer, open, readFacts } from './conversation.client.ts'
import type { Facts } from './facts.ts'
import { strangerLimit } from './limits.ts'
import { mutingOf } from './muting.ts'
import { conversationOf } from './policy.ts'
import { GROUP_NAME, PREVIEW } from './queries.ts'
import { blockedAmong } from './shown-accounts.ts'
import { conversations, type State } from './tables.ts'
import { type Conversation, ConversationFolder, type ConversationLog, type UnreadMessages } from './views.ts'

export const WantedConversations = PageQuery.extend({
  state: ConversationFolder.default('active').openapi({ description: 'By default, the inbox: `active`' }),
})
type WantedConversations = z.infer<typeof WantedConversations>

export const WantedLog = z.strictObject({
  since: Id.optional().openapi({
    description: 'The `position` of the previous answer; without it, the log starts at the beginning',
  }),
  limit: queryInteger({ min: 1, max: MAX_LIMIT }).default(DEFAULT_LIMIT).openapi({ default: DEFAULT_LIMIT }),
})

/** Opens the only conversation with the account. Somebody who does not follow the viewer finds it among the requests. */
export async function openConversation(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<Conversation> {
  const accountId = ctx.viewer.id
  if (otherId === accountId) throw invalid('accountId', 'is your own account')
  const conversationId = await conversationOf(ctx.config, accountId, otherId)
  const known = await readFacts(ctx, conversationId, accountId)
  if (known?.state === 'active') return presentOne(ctx, known)
  const otherState = await folderFor(ctx, otherId)
  if (known === null && otherState === 'request') await spend(ctx, strangerLimit, accountId)
  return presentOne(ctx, await open(ctx, { conversationId, accountId, otherId, otherState }))
}

/** Reads the primaries. Throws `not_found` if the viewer may not know the account, and `forbidden` if it blocks it. */
async function folderFor(ctx: UserCtx, otherId: Id): Promise<State> {
  const { id } = ctx.viewer
  const db = atPrimary(ctx)
  const follow = and(eq(follows.followerId, otherId), eq(follows.followeeId, id))
  const [[other], [own]] = await Promise.all([
    db
      .shardOf(otherId)
      .select({ follows: flag(exists(builder.select(one).from(follows).where(follow)), 'follows') })
      .from(accounts)
      .where(and(eq(accounts.id, otherId), knownTo(id))),
    db
      .shardOf(id)
      .select({ blocks: flag(blocksOther(id, otherId), 'blocks') })
      .from(accounts)
      .where(eq(accounts.id, id)),
  ])
  if (!other) throw notFound()
  if (own?.blocks) throw new Failure('forbidden', 'You block this account')
  return other.follows ? 'active' : 'request'
}

export async function getConversation(
  ctx: UserCtx,
  { conversationId }: { conversationId: string },
): Promise<Conversation> {
  const facts = await readFacts(ctx, conversationId, ctx.viewer.id)
  if (!facts) throw notFound()
  return presentOne(ctx, facts)
}

export async function acceptConversation(ctx: UserCtx, { conversationId }: { conversationId: string }): Promise<void> {
  await answer(ctx, conversationId, ctx.viewer.id, 'active')
}

export async function declineConversation(ctx: UserCtx, { conversationId }: { conversationId: string }): Promise<void> {
  await answer(ctx, conversationId, ctx.viewer.id, 'declined')
}

export async function listConversations(
  ctx: UserCtx,
  { state, ...query }: WantedConversations,
): Promise<Page<Conversation>> {
  const { id } = ctx.viewer
  const from = await seek(ctx, query, `${state} conversations of ${id}`, conversations.position)
  const db = query.cursor === undefined ? atPrimary(ctx) : ctx.db
  const rows = await db
    .shardOf(id)
    .select()
    .from(conversations)
    .where(and(eq(conversations.accountId, id), eq(conversations.state, state), isListed, from.where))
    .orderBy(from.order(conversations.position))
    .limit(from.limit)
  return loadPage(ctx, from, withPositions(rows), async (kept) => {
    const views = await present(ctx, await openRows(ctx, kept))
    return new Map(kept.flatMap(({ id, conversationId }) => pairOf(id, views.get(conversationId))))
  })
}

/** What has changed in all folders since a position, oldest change first. Without one, declined ones are left out. */
export async function readConversationLog(
  ctx: UserCtx,
  { since, limit }: z.infer<typeof WantedLog>,
): Promise<z.infer<typeof ConversationLog>> {
  const { id } = ctx.viewer
  const own = eq(conversations.accountId, id)
  const fromStart = and(isNotNull(conversations.changed), inArray(conversations.state, ['active', 'request']))
  const rows = await atPrimary(ctx)
    .shardOf(id)
    .select()
    .from(conversations)
    .where(and(own, since ? gt(conversations.changed, since) : fromStart))
    .orderBy(asc(conversations.changed))
    .limit(limit + 1)
  const kept = rows.slice(0, limit)
  const views = await present(ctx, await openRows(ctx, kept))
  return { items: [...views.values()], position: kept.at(-1)?.changed ?? since ?? null, hasMore: rows.length > limit }
}

export async function countUnreadMessages(ctx: UserCtx): Promise<z.infer<typeof UnreadMessages>> {
  const { id } = ctx.viewer
  const { state, unread, mutedUntil, accountId } = conversations
  const isUnread = and(eq(accountId, id), ne(state, 'declined'), gt(unread, 0), lte(mutedUntil, ctx.now()), isListed)
  const rows = await atPrimary(ctx)
    .shardOf(id)
    .select({ state, conversations: count(), messages: sum(unread) })
    .from(conversations)
    .where(isUnread)
    .groupBy(state)
  const inbox = rows.find((row) => row.state === 'active')
  const requests = rows.find((row) => row.state === 'request')
  return {
    messages: Number(inbox?.messages ?? 0),
    conversations: inbox?.conversations ?? 0,
    requests: requests?.conversations ?? 0,
  }
}

const isListed = isNotNull(conversations.position)

type InboxRow = typeof conversations.$inferSelect

const withPositions = (rows: readonly InboxRow[]) =>
  rows.flatMap((row) => (row.position === null ? [] : [{ ...row, id: row.position }]))

const pairOf = <T>(id: Id, view: T | undefined): [Id, T][] => (view === undefined ? [] : [[id, view]])

async function openRows(ctx: UserCtx, rows: readonly InboxRow[]): Promise<Facts[]> {
  const opened = (texts: (string | null)[], context: string) => openAllFor(ctx, ctx.viewer.id, texts, context)
  const previews = await opened(
    rows.map(({ preview }) => preview),
    PREVIEW,
  )
  const names = await opened(
    rows.map(({ name }) => name),
    GROUP_NAME,
  )
  return rows.map((row, i) => ({
    ...row,
    lastAt: row.lastAt.getTime(),
    name: names[i] ?? null,
    preview: previews[i] ?? null,
  }))
}

async function presentOne(ctx: UserCtx, facts: Facts): Promise<Conversation> {
  const view = (await present(ctx, [facts])).get(facts.conversationId)
  if (!view) throw notFound()
  return view
}

async function present(ctx: UserCtx, all: readonly Facts[]): Promise<Map<string, Conversation>> {
  const authors = all.flatMap(({ kind, lastAuthorId }) => (kind === 'group' && lastAuthorId) || [])
  const [known, blocked] = await Promise.all([
    loadAccountSummaries(ctx, [...all.flatMap(({ otherId }) => otherId ?? []), ...authors]),
    blockedAmong(ctx, authors),
  ])
  const isSeen = (id: Id | null) => id === null || id === ctx.viewer.id || (known.has(id) && !blocked.has(id))
  const views = all.map(({ conversationId: id, otherId, ended, ...facts }): Conversation => {
    const { kind, name, memberCount, state, readSeq, unread, mutedUntil, revision } = facts
    const isPair = kind === 'pair'
    const account = (otherId && known.get(otherId)) ?? null
    const isHidden = isPair ? account === null && facts.lastAuthorId === otherId : !isSeen(facts.lastAuthorId)
    return {
      id,
      kind,
      name: isHidden && state !== 'active' ? null : name,
      memberCount,
      account,
      state,
      ended: ended || (isPair && account === null),
      readSeq,
      unread,
      ...mutingOf(mutedUntil, ctx.now()),
      revision,
      lastMessage: facts.shownSeq > 0 ? lastMessageOf(facts, isHidden) : null,
    }
  })
  return new Map(views.map((view) => [view.id, view]))
}

function lastMessageOf(
  {
    shownSeq: seq,
    shownKind,
    lastEvent: event,
    lastAuthorId,
    lastAt,
    preview,
  }: Omit<Facts, 'conversationId' | 'otherId' | 'ended'>,
  isHidden: boolean,
): NonNullable<Conversation['lastMessage']> {
  const createdAt = new Date(lastAt).toISOString()
  if (isHidden) return { seq, kind: event ? 'system' : 'text', event, authorId: null, preview: null, createdAt }
  return { seq, kind: shownKind, event, authorId: lastAuthorId, preview, createdAt }
}
