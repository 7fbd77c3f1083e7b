import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  acceptConversation,
  countUnreadMessages,
  declineConversation,
  getConversation,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import { listMessages, markConversationRead } from '../../../src/services/messaging/messages.ts'
import { blockConversation, syncBlock } from '../../../src/services/messaging/statements.ts'
import { accountsOn, bulkIds, markSuspended } from '../../support/actors.ts'
import { conversationObject, delivered, idOfPair, inboxOf, opened, say, textsFor } from '../../support/conversations.ts'
import { queues } from '../../support/manual-queues.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser, failure } from '../../support/viewers.ts'

const NONE = { messages: 0, conversations: 0, requests: 0 }

// Ada and Bob are on different shards, and Eve is a stranger.
let ada: Id
let bob: Id
let eve: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, eve] = await accountsOn(0, 1, 0)
})

async function friends(): Promise<string> {
  await followAccount(asUser(bob), { accountId: ada })
  return opened(ada, bob)
}

test('a stranger finds its messages among the requests of the other, who accepts, answers or declines', async () => {
  const id = await opened(eve, bob)
  await say(eve, id, 'hello')
  await delivered(id)
  expect(await inboxOf(bob)).toEqual([])
  expect((await inboxOf(bob, 'request'))[0]).toMatchObject({ id, state: 'request', unread: 1 })
  expect(await countUnreadMessages(asUser(bob))).toEqual({ ...NONE, requests: 1 })
  await acceptConversation(asUser(bob), { conversationId: id })
  expect((await inboxOf(bob))[0]).toMatchObject({ id, state: 'active' })
  expect(await inboxOf(bob, 'request')).toEqual([])

  const unwanted = await opened(eve, ada)
  await say(eve, unwanted, 'buy this')
  await declineConversation(asUser(ada), { conversationId: unwanted })
  await say(eve, unwanted, 'and this')
  await delivered(unwanted)
  expect([await inboxOf(ada), await inboxOf(ada, 'request')]).toEqual([[], []])
  expect(await countUnreadMessages(asUser(ada))).toEqual(NONE)
  expect((await inboxOf(eve))[0]).toMatchObject({ id: unwanted, state: 'active' })
  await say(ada, unwanted, 'well then')
  await delivered(unwanted)
  expect((await inboxOf(ada))[0]).toMatchObject({ id: unwanted, state: 'active', unread: 0 })
})

test('from the answer to a block on, nobody sends, even while no event arrives; an unblock allows it again', async () => {
  const id = await friends()
  await say(ada, id, 'before')
  await blockAccount(asUser(bob), { accountId: ada })
  await expect(say(ada, id, 'after')).rejects.toThrow(failure('forbidden'))
  await expect(say(bob, id, 'after')).rejects.toThrow(failure('forbidden'))
  await queues.deliver({ times: 2 })
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ ended: true, unread: 1 })
  await unblockAccount(asUser(bob), { accountId: ada })
  await queues.deliver({ times: 2 })
  expect((await say(ada, id, 'after')).seq).toBe(2)
})

test('sends that race with a block are either before it or refused', async () => {
  const id = await friends()
  const sends = Array.from({ length: 10 }, (_, n) => say(ada, id, `race ${n}`).catch(({ code }) => code))
  await blockAccount(asUser(bob), { accountId: ada })
  const known = (await textsFor(bob, id)).length
  const outcomes = await Promise.all(sends)
  expect(outcomes.filter((outcome) => typeof outcome === 'object')).toHaveLength(known)
  expect(await textsFor(bob, id)).toHaveLength(known)
})

test('a block counts before the conversation exists, and a late event does not undo what is true now', async () => {
  const id = await idOfPair(ada, bob)
  const pair = { accountId: bob, otherId: ada }
  await blockConversation(asUser(bob), { ...pair, isBlocking: true })
  expect(await opened(ada, bob)).toBe(id)
  await expect(say(ada, id, 'hello')).rejects.toThrow(failure('forbidden'))
  await syncBlock(asUser(bob), pair)
  expect((await say(ada, id, 'hello')).seq).toBe(1)
  await blockAccount(asUser(bob), { accountId: ada })
  await unblockAccount(asUser(bob), { accountId: ada })
  await blockAccount(asUser(bob), { accountId: ada })
  await queues.deliver({ times: 2 })
  await expect(say(ada, id, 'hello')).rejects.toThrow(failure('forbidden'))
  await unblockAccount(asUser(bob), { accountId: ada })
  await queues.deliver({ times: 2 })
  expect((await say(ada, id, 'hello')).seq).toBe(2)
})

test('a request holds 10 messages until the other accepts it', async () => {
  const id = await opened(eve, bob)
  for (let n = 1; n <= 10; n++) await say(eve, id, `message ${n}`, `client-id-${n}`)
  await expect(say(eve, id, 'one more')).rejects.toThrow(failure('conflict'))
  expect((await say(eve, id, 'message 10', 'client-id-10')).seq).toBe(10)
  await acceptConversation(asUser(bob), { conversationId: id })
  expect((await say(eve, id, 'one more')).seq).toBe(11)
})

test('an account opens 50 conversations a day with strangers, and any number with those who follow it', async () => {
  const [first, ...others] = await bulkIds(50)
  const known = await opened(eve, first!)
  await Promise.all(others.map((other) => opened(eve, other)))
  await expect(opened(eve, bob)).rejects.toThrow(failure('rate_limited'))
  expect(await opened(eve, first!)).toBe(known)
  await followAccount(asUser(bob), { accountId: eve })
  expect(await opened(eve, bob)).toBe(await idOfPair(eve, bob))
})

test('before the first message, a conversation exists only for those who opened it', async () => {
  const id = await friends()
  const place = { conversationId: id }
  expect(await getConversation(asUser(ada), place)).toMatchObject({ id, lastMessage: null })
  await expect(getConversation(asUser(bob), place)).rejects.toThrow(failure('not_found'))
  await expect(listMessages(asUser(bob), { ...place, after: 0, limit: 5 })).rejects.toThrow(failure('not_found'))
  expect((await readConversationLog(asUser(bob), { limit: 20 })).items).toEqual([])
  expect(await opened(bob, ada)).toBe(id)
  expect(await getConversation(asUser(bob), place)).toMatchObject({ id })
})

test('nobody sends to an erased account, and nothing brings back its id', async () => {
  const id = await friends()
  await say(ada, id, 'one')
  const object = conversationObject(id)
  await object.erase(bob)
  await expect(say(ada, id, 'two')).rejects.toThrow(failure('forbidden'))
  await object.block({ conversationId: id, accountId: bob, otherId: ada, isBlocking: true })
  const blocks = (_: unknown, { storage }: DurableObjectState) => storage.sql.exec('SELECT * FROM blocks').toArray()
  expect(await runInDurableObject(object, blocks)).toEqual([])
})

test('sockets hear once of a message, and nothing of a block', async () => {
  const id = await friends()
  const socket = await openSocket(ada, null, ['conversations', `conversation:${id}`])
  await say(bob, id, 'hello')
  await delivered(id)
  expect((await socket.takeFrames()).map(({ event }) => event)).toEqual(['conversation.changed', 'message.sent'])
  await markConversationRead(asUser(ada), { conversationId: id, seq: 1 })
  expect((await socket.takeFrames()).map(({ event }) => event)).toEqual(['conversation.changed'])
  await blockAccount(asUser(bob), { accountId: ada })
  await queues.deliver({ times: 2 })
  await delivered(id)
  expect(await inboxOf(ada)).toMatchObject([{ id, ended: true }])
  expect(await socket.takeFrames()).toEqual([])
  socket.close()
})

test('nobody sees what a suspended account has written, and it looks like one that blocks', async () => {
  const id = await friends()
  await say(bob, id, 'hello')
  await delivered(id)
  await markSuspended(bob)
  const hidden = { id, account: null, ended: true, lastMessage: { seq: 1, authorId: null, preview: null } }
  expect(await inboxOf(ada)).toMatchObject([hidden])
  expect(await getConversation(asUser(ada), { conversationId: id })).toMatchObject(hidden)
  await say(ada, id, 'are you there?')
  expect(await textsFor(ada, id)).toEqual([null, 'are you there?'])
})
