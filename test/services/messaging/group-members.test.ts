import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { conversationChannel } from '../../../src/services/messaging/channels.ts'
import type { ConversationState } from '../../../src/services/messaging/conversation-state.ts'
import {
  acceptConversation,
  countUnreadMessages,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import { editGroup, getGroup } from '../../../src/services/messaging/groups.ts'
import { deleteMessage, listMessageEdits, readMessageLog } from '../../../src/services/messaging/message-changes.ts'
import { getMessage } from '../../../src/services/messaging/messages.ts'
import { messagingData } from '../../../src/services/messaging/personal.ts'
import { pinMessage } from '../../../src/services/messaging/reactions.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { conversationObject, delivered, inboxOf, say, textsFor } from '../../support/conversations.ts'
import {
  add,
  askToJoin,
  eventsFor,
  everything,
  groupOf,
  leave,
  remove,
  setRole,
  started,
} from '../../support/groups.ts'
import { queues } from '../../support/manual-queues.ts'
import { seedFollows } from '../../support/seed.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser, failure } from '../../support/viewers.ts'

// Ada owns the groups. Bob and Cleo follow her, and Eve is a stranger.
let ada: Id
let bob: Id
let cleo: Id
let eve: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cleo, eve] = await accountsOn(0, 1, 0, 1)
})

test('from the answer to a removal on, the member reads nothing, is told nothing, and its inbox row is gone', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await say(bob, id, 'mine')
  const socket = await openSocket(bob, null, ['conversations', `conversation:${id}`])
  await remove(ada, id, bob)
  for (const read of everything(bob, id)) await expect(read()).rejects.toThrow(failure('not_found'))
  expect(await conversationChannel.mayJoin(asUser(bob), bob, id)).toBe(false)
  expect((await socket.takeFrames()).map(({ event, data }) => [event, data])).toEqual([
    ['conversation.changed', expect.objectContaining({ conversationId: id, state: 'left' })],
  ])
  await say(ada, id, 'after')
  await delivered(id)
  expect(await socket.takeFrames()).toEqual([])
  expect([await inboxOf(bob), await inboxOf(bob, 'request')]).toEqual([[], []])
  const { items } = await readConversationLog(asUser(bob), { since: '1' as Id, limit: 5 })
  expect(items).toMatchObject([{ id, state: 'left', name: null, memberCount: 0, lastMessage: null, unread: 0 }])
  expect(await countUnreadMessages(asUser(bob))).toMatchObject({ messages: 0 })
  expect(await eventsFor(cleo, id)).toEqual(['created', 'mine', 'removed', 'after'])
  socket.close()
})

test('who joins later does not read what was before, unless the group shows its history', async () => {
  await seedFollows([
    [bob, ada],
    [cleo, ada],
    [eve, ada],
  ])
  const id = await started(ada, [bob])
  await say(bob, id, 'early')
  await add(ada, id, cleo)
  expect(await eventsFor(cleo, id)).toEqual(['joined'])
  await expect(getMessage(asUser(cleo), { messageId: `${id}.2` })).rejects.toThrow(failure('not_found'))
  await expect(listMessageEdits(asUser(cleo), { messageId: `${id}.2` })).rejects.toThrow(failure('not_found'))
  const log = await readMessageLog(asUser(cleo), { conversationId: id, since: 0, limit: 50 })
  expect(log.items.map(({ seq }) => seq)).toEqual([3])
  expect(await inboxOf(cleo)).toMatchObject([{ unread: 1 }])
  await editGroup(asUser(ada), { groupId: id, historyVisible: true })
  await say(bob, id, 'open')
  await add(ada, id, eve)
  expect(await eventsFor(eve, id)).toEqual(['history_shown', 'open', 'joined'])
  expect(await inboxOf(eve)).toMatchObject([{ unread: 1 }])
  await leave(cleo, id)
  await add(ada, id, cleo)
  await acceptConversation(asUser(cleo), { conversationId: id })
  expect(await eventsFor(cleo, id)).not.toContain('early')
})

test('roles are exact: who may not act changes nothing', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await expect(setRole(bob, id, cleo, 'admin')).rejects.toThrow(failure('forbidden'))
  await expect(remove(bob, id, cleo)).rejects.toThrow(failure('forbidden'))
  await expect(editGroup(asUser(bob), { groupId: id, name: 'mine' })).rejects.toThrow(failure('forbidden'))
  await setRole(ada, id, bob, 'admin')
  await setRole(ada, id, bob, 'admin')
  await editGroup(asUser(bob), { groupId: id, name: 'looms', locked: true, adding: 'admins' })
  await expect(say(cleo, id, 'hello')).rejects.toThrow(failure('forbidden'))
  await expect(add(cleo, id, eve)).rejects.toThrow(failure('forbidden'))
  await say(bob, id, 'order')
  await expect(remove(bob, id, ada)).rejects.toThrow(failure('forbidden'))
  await setRole(ada, id, bob, 'owner')
  expect(await getGroup(asUser(ada), { groupId: id })).toMatchObject({ role: 'admin', name: 'looms', locked: true })
  await setRole(bob, id, ada, 'member')
  await editGroup(asUser(bob), { groupId: id, locked: false })
  expect(await eventsFor(cleo, id)).toEqual([
    'created',
    'promoted',
    'renamed',
    'locked',
    'order',
    'handed_over',
    'demoted',
    'unlocked',
  ])
  await delivered(id)
  expect((await inboxOf(cleo))[0]).toMatchObject({ name: 'looms' })
})

test('the owner who leaves or is erased hands over, the name stays, and the last one closes the group', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await setRole(ada, id, cleo, 'admin')
  await say(ada, id, 'mine')
  await conversationObject(id).erase(ada)
  expect(await getGroup(asUser(cleo), { groupId: id })).toMatchObject({
    role: 'owner',
    name: 'engines',
    memberCount: 2,
  })
  expect(await eventsFor(bob, id)).toEqual(['created', 'promoted', null, 'left', 'handed_over'])
  const stored = await runInDurableObject(conversationObject(id), (_, { storage }) =>
    ['members', 'group_events', 'groups', 'messages'].map((table) =>
      storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
    ),
  )
  expect(JSON.stringify(stored)).not.toContain(ada)
  await leave(cleo, id)
  expect(await getGroup(asUser(bob), { groupId: id })).toMatchObject({ role: 'owner', memberCount: 1 })
  expect(await textsFor(bob, id)).toHaveLength(7)
  await add(bob, id, eve)
  await leave(bob, id)
  expect([await inboxOf(eve, 'request'), await inboxOf(bob)]).toEqual([[], []])
  const tables = await runInDurableObject(conversationObject(id), (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name NOT GLOB '_cf_*'").toArray(),
  )
  expect(tables).toEqual([])
})

test('who left comes back only if it accepts, and the messages of former members stay readable', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await say(bob, id, 'mine')
  await leave(bob, id)
  expect(await textsFor(cleo, id)).toContain('mine')
  await add(ada, id, bob)
  await delivered(id)
  expect([(await inboxOf(bob)).length, (await inboxOf(bob, 'request')).length]).toEqual([0, 1])
  await acceptConversation(asUser(bob), { conversationId: id })
  expect(await eventsFor(bob, id)).toEqual(['joined'])
  expect((await say(bob, id, 'back')).seq).toBe(5)
})

test('an admin who is removed while the name is sealed changes nothing', async () => {
  const id = await groupOf(ada, [bob])
  await setRole(ada, id, bob, 'admin')
  const edit = { kind: 'edit', name: 'mine', locked: true } as const
  const outcomes = await runInDurableObject(conversationObject(id), (object) => {
    const { group } = Reflect.get(object, 'state') as ConversationState
    return Promise.all([group.change(bob, edit), group.change(ada, { kind: 'remove', accountId: bob })])
  })
  expect(outcomes).toEqual(['absent', null])
  expect(await getGroup(asUser(ada), { groupId: id })).toMatchObject({ name: 'engines', locked: false })
  expect(await eventsFor(ada, id)).toEqual(['created', 'promoted', 'removed'])
})

test('removing, leaving and adding again answer as the first time, and do not count as requests', async () => {
  const id = await groupOf(ada, [bob])
  for (let n = 0; n < 60; n++) await add(ada, id, eve)
  await expect(add(bob, 'f'.repeat(32), eve)).rejects.toThrow(failure('not_found'))
  await editGroup(asUser(ada), { groupId: id, adding: 'admins' })
  for (let n = 0; n < 60; n++) await expect(add(bob, id, cleo)).rejects.toThrow(failure('forbidden'))
  for (const _ of [1, 2]) await remove(ada, id, eve)
  for (const _ of [1, 2]) await leave(bob, id)
  const [other] = await bulkIds(1)
  await add(ada, id, other!)
})

test('who has left still deletes its own messages, and finds them in its export while it asks to come back', async () => {
  const id = await groupOf(ada, [bob])
  await say(bob, id, 'mine')
  await say(bob, id, 'regretted')
  await leave(bob, id)
  await deleteMessage(asUser(bob), { messageId: `${id}.3` })
  expect(await eventsFor(ada, id)).toEqual(['created', 'mine', null, 'left'])
  await expect(deleteMessage(asUser(bob), { messageId: `${id}.1` })).rejects.toThrow(failure('not_found'))
  await askToJoin(ada, id, bob)
  await delivered(id)
  const parts: unknown[] = []
  for await (const { body } of messagingData.exported(asUser(bob), bob)) for await (const part of body) parts.push(part)
  expect(parts.join('')).toContain('"text": "mine"')
})

test('the export of a member has its role and since when it is one, and which of its messages are pinned', async () => {
  const id = await groupOf(ada, [bob])
  await say(ada, id, 'rules')
  await pinMessage(asUser(ada), { messageId: `${id}.2` })
  await delivered(id)
  const files = new Map<string, string>()
  for await (const { path, body } of messagingData.exported(asUser(ada), ada)) {
    for await (const part of body) files.set(path, (files.get(path) ?? '') + String(part))
  }
  const member = { role: 'owner', since: expect.stringMatching(/^\d{4}-/), mutedUntil: null }
  expect(JSON.parse(files.get('conversations.json')!)).toContainEqual(expect.objectContaining({ id, ...member }))
  expect(JSON.parse(files.get('messages.json')!)).toContainEqual(
    expect.objectContaining({ conversationId: id, text: 'rules', isPinned: true }),
  )
})
