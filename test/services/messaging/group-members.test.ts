import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { conversationChannel } from '../../../src/services/messaging/channels.ts'
import {
  acceptConversation,
  countUnreadMessages,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import { editGroup, getGroup } from '../../../src/services/messaging/groups.ts'
import { listMessageEdits, readMessageLog } from '../../../src/services/messaging/message-changes.ts'
import { getMessage } from '../../../src/services/messaging/messages.ts'
import { accountsOn } from '../../support/actors.ts'
import { conversationObject, delivered, inboxOf, say, textsFor } from '../../support/conversations.ts'
import { add, eventsFor, everything, groupOf, leave, remove, setRole, started } from '../../support/groups.ts'
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
  expect(await eventsFor(cleo, id)).toEqual(['joined'])
  await add(ada, id, eve)
  expect(await eventsFor(eve, id)).toEqual(['created', 'early', 'joined', 'joined'])
  expect(await inboxOf(eve)).toMatchObject([{ unread: 1 }])
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
