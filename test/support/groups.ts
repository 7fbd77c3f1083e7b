import type { Id } from '../../src/platform/data/ids.ts'
import { getConversation } from '../../src/services/messaging/conversations.ts'
import { createGroupLink, joinGroupByLink } from '../../src/services/messaging/group-links.ts'
import type { GroupRole } from '../../src/services/messaging/group-views.ts'
import { createGroup, getGroup, leaveGroup } from '../../src/services/messaging/groups.ts'
import { addMember, listMembers, removeMember, setMemberRole } from '../../src/services/messaging/members.ts'
import { listMessageEdits, readMessageLog } from '../../src/services/messaging/message-changes.ts'
import { getMessage, listMessages, markConversationRead } from '../../src/services/messaging/messages.ts'
import { conversationObject, say, textsFor } from './conversations.ts'
import { seedFollows } from './seed.ts'
import { asUser } from './viewers.ts'

/** A group whose other members follow its owner, and so have joined. */
export async function groupOf(ownerId: Id, members: readonly Id[], name = 'engines'): Promise<string> {
  await seedFollows(members.map((member) => [member, ownerId] as const))
  return started(ownerId, members, name)
}

export const started = async (ownerId: Id, members: readonly Id[], name = 'engines'): Promise<string> =>
  (await createGroup(asUser(ownerId), { name, members: [...members] })).value.id

export const membersFor = async (by: Id, conversationId: string) =>
  (await listMembers(asUser(by), { conversationId, limit: 50 })).items
export const add = (by: Id, groupId: string, other: Id) => addMember(asUser(by), { memberId: `${groupId}.${other}` })
export const remove = (by: Id, groupId: string, other: Id) =>
  removeMember(asUser(by), { memberId: `${groupId}.${other}` })
export const setRole = (by: Id, groupId: string, other: Id, role: (typeof GroupRole.options)[number]) =>
  setMemberRole(asUser(by), { memberId: `${groupId}.${other}`, role })
export const leave = (by: Id, groupId: string) => leaveGroup(asUser(by), { groupId })

/** A group in its object only, without checks of who may be a member. */
export async function seedGroup(ownerId: Id, members: readonly Id[]): Promise<string> {
  const conversationId = crypto.getRandomValues(new Uint8Array(16)).toHex()
  const invitees = members.map((accountId) => ({ accountId, follows: true }))
  await conversationObject(conversationId).createGroup({
    conversationId,
    ownerId,
    name: 'engines',
    invitees,
    fingerprint: '',
  })
  return conversationId
}

export const linkTo = async (
  by: Id,
  groupId: string,
  more: { approval?: boolean; audience?: 'anyone' | 'followed' } = {},
) => (await createGroupLink(asUser(by), { groupId, audience: 'anyone', approval: false, ...more })).code

export async function askToJoin(by: Id, groupId: string, asking: Id): Promise<void> {
  await joinGroupByLink(asUser(asking), { code: await linkTo(by, groupId, { approval: true }) })
}

/** What the account reads, oldest first: texts and events. */
export const eventsFor = async (by: Id, conversationId: string) => {
  const { items } = await listMessages(asUser(by), { conversationId, after: 0, limit: 50 })
  return items.toReversed().map(({ event, text }) => event?.event ?? text)
}
/** All ways to reach a conversation and its second message. */
export const everything = (by: Id, id: string) => [
  () => getConversation(asUser(by), { conversationId: id }),
  () => getGroup(asUser(by), { groupId: id }),
  () => membersFor(by, id),
  () => textsFor(by, id),
  () => getMessage(asUser(by), { messageId: `${id}.2` }),
  () => listMessageEdits(asUser(by), { messageId: `${id}.2` }),
  () => readMessageLog(asUser(by), { conversationId: id, since: 0, limit: 50 }),
  () => markConversationRead(asUser(by), { conversationId: id, seq: 1 }),
  () => say(by, id, 'hello'),
]
