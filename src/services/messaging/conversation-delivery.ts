import { type Id, toId } from '../../platform/data/ids.ts'
import { withTimeout } from '../../platform/timeout.ts'
import { type ConversationCore, kindOf } from './conversation-core.ts'
import type { Facts, News } from './facts.ts'
import { nameOf, outsideOf, type Seen } from './group-inbox.ts'
import { deliverInboxes, type InboxCopy, readTold, toldBy } from './inboxes.ts'
import { idOrNull } from './message-rows.ts'

const DELIVERY_TIMEOUT_MS = 15_000

export async function factsFor(core: ConversationCore, accountId: Id): Promise<Facts | null> {
  const isShown = core.isMember(accountId) || (core.rows.group.exists() && core.isKnown(accountId))
  const seen = isShown ? seenBy(core, accountId) : null
  return seen && { ...seen.facts, name: await nameOf(core), preview: await core.previewOf(seen.last) }
}

export async function deliver(core: ConversationCore, accountIds: readonly Id[]): Promise<void> {
  if (accountIds.length === 0) return
  // From one moment, so that no older text comes under a newer version.
  const version = core.rows.head()?.version ?? 0
  const naming = nameOf(core)
  const memberCount = core.rows.group.count('active')
  const all = accountIds.flatMap((accountId) => {
    const seen = seenBy(core, accountId, memberCount)
    if (!seen) return []
    const told = toldBefore(core, accountId)
    return [{ accountId, version, ...seen, ...told, news: newsOf(core, accountId, seen, told.told) }]
  })
  const previews = new Map<number | undefined, Promise<string | null>>()
  for (const { last } of all) previews.set(last?.seq, previews.get(last?.seq) ?? core.previewOf(last))
  const groupName = await naming
  const copies = await Promise.all(
    all.map(async ({ facts, last, ...copy }): Promise<InboxCopy> => {
      const name = facts.state === 'left' ? null : groupName
      return { ...facts, ...copy, name, preview: (await previews.get(last?.seq)) ?? null }
    }),
  )
  await withTimeout(deliverInboxes(core.keys.ctx, copies), DELIVERY_TIMEOUT_MS)
  for (const copy of copies) core.rows.members.keepTold(copy.accountId, toldBy(copy))
}

/** Of an invitation, who has sent it. Nothing for those who may not read here, or have declined. */
export async function readNews(core: ConversationCore, accountId: Id): Promise<News> {
  const seen = seenBy(core, accountId)
  const invitation = seen && newsOf(core, accountId, seen, '0')
  if (!seen || !invitation) return { unread: 0, latest: [] }
  if (!seen.last) return { unread: 1, latest: [{ ...invitation, preview: null }] }
  const rows = core.rows.messages.latestOfOthers(accountId, seen.facts.readSeq)
  const latest = rows.map(async (row) => {
    const { seq, at, authorId } = row
    return { seq, at, authorId: toId(authorId ?? 0), preview: await core.previewOf(row).catch(() => null) }
  })
  return { unread: seen.facts.unread, latest: await Promise.all(latest) }
}

/** The newest unread message of somebody else about which the member was not told yet, or an invitation. */
function newsOf({ rows }: ConversationCore, accountId: Id, { facts, last }: Seen, told: string): InboxCopy['news'] {
  const { state, ended, lastSeq, lastAt, lastAuthorId } = facts
  const after = Math.max(readTold(told).lastSeq, facts.readSeq)
  if (ended || lastSeq <= after || (state !== 'active' && state !== 'request')) return null
  if (facts.lastEvent === 'invited' && !last)
    return lastAuthorId && { seq: lastSeq, authorId: lastAuthorId, at: lastAt }
  const message = rows.messages.newestOfOthers(accountId, after)
  const authorId = idOrNull(message?.authorId ?? null)
  return message && authorId && { seq: message.seq, authorId, at: message.at }
}

/** `changedSeq`: the message that was changed last, of those that the sockets of the member have heard of. */
function toldBefore({ rows }: ConversationCore, accountId: Id): Pick<InboxCopy, 'told' | 'changedSeq'> {
  const { told = '0', state } = rows.members.one(accountId) ?? {}
  const { lastSeq, revision } = readTold(told)
  const isTold = revision > 0 && state !== 'request'
  return { told, changedSeq: isTold ? rows.messages.changedAfter(accountId, revision, lastSeq) : null }
}

function seenBy(core: ConversationCore, accountId: Id, memberCount = core.rows.group.count('active')): Seen | null {
  const { members, messages, group } = core.rows
  const [head, member] = [core.rows.head(), members.one(accountId)]
  if (!head || !member) return null
  const inGroup = group.exists() ? group.member(accountId) : null
  if (inGroup && inGroup.state !== 'active') return outsideOf(head.id, inGroup, memberCount)
  const last = messages.last(accountId)
  const other = inGroup ? null : members.all().find((each) => each.accountId !== member.accountId)
  const event = last?.authorId === null ? group.event(last.seq) : null
  const facts = {
    conversationId: head.id,
    kind: inGroup ? 'group' : 'pair',
    memberCount: inGroup ? memberCount : 2,
    otherId: idOrNull(other?.accountId ?? null),
    state: member.state,
    ended: core.isEnded(),
    lastSeq: head.lastSeq,
    shownSeq: last?.seq ?? 0,
    shownKind: kindOf(last?.isDeleted === 1, event !== null),
    lastEvent: event?.event ?? null,
    lastAt: last?.at ?? 0,
    lastAuthorId: idOrNull(last?.authorId ?? null),
    readSeq: member.readSeq,
    unread: head.lastSeq - member.readSeq - messages.hiddenAfter(accountId, member.readSeq),
    mutedUntil: member.mutedUntil,
    revision: messages.revision(accountId),
  } as const
  return { facts, last }
}
