import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  acceptConversation,
  countUnreadMessages,
  declineConversation,
} from '../../../src/services/messaging/conversations.ts'
import { blockConversation } from '../../../src/services/messaging/statements.ts'
import { accountsOn } from '../../support/actors.ts'
import { delivered, idOfPair, inboxOf, opened, say, textsFor } from '../../support/conversations.ts'
import { queues } from '../../support/manual-queues.ts'
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

test('a block counts before the conversation exists, and a late event does not undo a newer one', async () => {
  const id = await idOfPair(ada, bob)
  const block = (eventId: number, isBlocking: boolean) =>
    blockConversation(asUser(bob), { accountId: bob, otherId: ada, eventId: String(eventId) as Id, isBlocking })
  await block(10, true)
  expect(await opened(ada, bob)).toBe(id)
  await expect(say(ada, id, 'hello')).rejects.toThrow(failure('forbidden'))
  await block(9, false)
  await expect(say(ada, id, 'hello')).rejects.toThrow(failure('forbidden'))
  await block(11, false)
  expect((await say(ada, id, 'hello')).seq).toBe(1)
})
