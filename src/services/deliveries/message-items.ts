import { and, desc, eq, exists, gt, inArray, lte, ne, not, or } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { flag, one, query } from '../../platform/data/conditions.ts'
import { idIn } from '../../platform/data/shards.ts'
import { openAllFor } from '../../platform/security/account-keys.ts'
import { blockBetween, isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { GROUP_NAME, PREVIEW } from '../messaging/queries.ts'
import { conversations } from '../messaging/tables.ts'
import { type Item, MAX_NAME, MAX_QUOTE, short } from './items.ts'
import { wasFollowedBy, wasFollowing } from './policy.ts'
import { audienceOf, type Settings } from './preferences.ts'
import type { Claimed } from './rows.ts'
import { channelOf, deliveries } from './tables.ts'

/** Conversations with an unread message that an active account may see, and wants to hear of, newest first. */
export async function readMessageItems(ctx: SystemCtx, claimed: Claimed, settings: Settings): Promise<Item[]> {
  const { accountId } = claimed
  const rows = await readRows(ctx, claimed, settings)
  const isQuoted = ({ state, shownSeq, seq }: Row) => settings.includeMessages && state === 'active' && shownSeq === seq
  const sealed = (context: string, textOf: (row: Row) => string | null) =>
    openAllFor(ctx, accountId, rows.map(textOf), context)
  const [authors, previews, names] = await Promise.all([
    loadAccountSummaries(
      asViewer(ctx, accountId),
      rows.flatMap(({ authorId }) => authorId ?? []),
    ),
    sealed(PREVIEW, (row) => (isQuoted(row) ? row.preview : null)),
    sealed(GROUP_NAME, ({ name }) => (settings.includeMessages ? name : null)),
  ])
  return rows.flatMap((row, i): Item[] => {
    const author = row.authorId && authors.get(row.authorId)
    if (!author || row.conversationId === null) return []
    const quote = previews[i] ?? null
    return [
      {
        id: row.id,
        kind: kindOf(row.state),
        title: titleOf(row, short(author.displayName, MAX_NAME), names[i] ?? null),
        quote: quote && short(quote, MAX_QUOTE),
        path: `/messages/${row.conversationId}`,
        topic: row.conversationId,
        tag: row.conversationId,
        isUrgent: row.state === 'active',
      },
    ]
  })
}

async function readRows(ctx: SystemCtx, claimed: Claimed, { rules }: Settings) {
  return (await selectUnread(ctx, claimed)).filter(({ state, followed, follower }) => {
    const audience = audienceOf(rules, kindOf(state), channelOf(claimed.channel))
    return { everyone: true, followed, followers: follower, nobody: false }[audience]
  })
}

type Row = Awaited<ReturnType<typeof selectUnread>>[number]

const kindOf = (state: Row['state']) => (state === 'request' ? 'messageRequest' : 'message')

function titleOf({ kind, state, unread }: Row, author: string, name: string | null): string {
  const group = name === null ? 'a group' : `“${short(name, MAX_NAME)}”`
  if (state === 'request')
    return kind === 'group' ? `${author} invited you to ${group}` : `${author} wants to message you`
  if (kind === 'group') return unread > 1 ? `${unread} new messages in ${group}` : `${author} wrote in ${group}`
  return unread > 1 ? `${author} sent you ${unread} messages` : `${author} sent you a message`
}

function selectUnread(ctx: SystemCtx, { accountId, channel, newest }: Claimed) {
  const { eventId: id, seq, authorId } = deliveries
  const { state, kind, unread, shownSeq, shownKind, preview, name, readSeq, mutedUntil, ended } = conversations
  const active = query
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, accountId), isActive))
  const inbox = and(
    eq(conversations.accountId, deliveries.accountId),
    eq(conversations.conversationId, deliveries.conversationId),
  )
  return ctx.db
    .shardOf(accountId)
    .select({
      ...{ id, seq, authorId, state, kind, unread, shownSeq, preview, name },
      conversationId: deliveries.conversationId,
      followed: flag(wasFollowing(accountId, authorId, id), 'followed'),
      follower: flag(wasFollowedBy(accountId, authorId, id), 'follower'),
    })
    .from(deliveries)
    .innerJoin(conversations, inbox)
    .where(
      and(
        ...[eq(deliveries.accountId, accountId), eq(deliveries.channel, channel), idIn(id, newest)],
        ...[inArray(state, ['active', 'request']), eq(ended, false), gt(seq, readSeq), lte(mutedUntil, ctx.now())],
        or(ne(shownSeq, seq), ne(shownKind, 'deleted')),
        not(blockBetween(deliveries.accountId, authorId)),
        exists(active),
      ),
    )
    .orderBy(desc(id))
}
