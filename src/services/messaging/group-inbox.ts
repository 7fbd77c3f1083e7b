import { type Id, toId } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import type { Facts } from './facts.ts'
import { mayDo } from './group-policy.ts'
import type { GroupMember } from './group-rows.ts'
import { idOrNull, type Row } from './message-rows.ts'

/** `last`: the last message that the member sees. */
export type Seen = { facts: Omit<Facts, 'preview' | 'name'>; last: Row | null }

/** The name in clear. It is sealed like a message of who has chosen it. Reads the rows before it waits. */
export async function nameOf({ rows, keys }: ConversationCore): Promise<string | null> {
  const { name = null, namedBy = null } = rows.group.one() ?? {}
  if (name === null || namedBy === null) return null
  const body = await keys.open(nameSealedBy(toId(namedBy)), name)
  return body?.text ?? null
}

/** No client id is that short, so no message has the same context. */
export const nameSealedBy = (authorId: Id) => ({ authorId, clientId: 'name', edits: 0 })

/** In pairs, blocks and requests decide instead. */
export function mayWrite({ rows }: ConversationCore, accountId: Id): boolean {
  const [group, member] = [rows.group.one(), rows.group.member(accountId)]
  if (!group || !member) return true
  return mayDo({ act: 'write', role: member.role, locked: group.locked === 1, adding: group.adding })
}

/** For those who have not joined: a request that nothing changes any more, and for former members nothing. */
export function outsideOf(conversationId: string, member: GroupMember, memberCount: number): Seen {
  const isInvited = member.state === 'request' || member.state === 'declined'
  const { fromSeq: lastSeq } = member
  const readSeq = Math.min(member.readSeq, lastSeq)
  const facts = {
    conversationId,
    kind: 'group',
    memberCount: isInvited ? memberCount : 0,
    otherId: null,
    state: member.state === 'request' || member.state === 'declined' ? member.state : 'left',
    ended: !isInvited,
    lastSeq,
    shownSeq: isInvited ? lastSeq : 0,
    shownKind: 'system',
    lastEvent: isInvited ? 'invited' : null,
    lastAt: member.since,
    lastAuthorId: idOrNull(member.invitedBy),
    readSeq,
    unread: isInvited ? lastSeq - readSeq : 0,
    revision: 0,
  } as const
  return { facts, last: null }
}
