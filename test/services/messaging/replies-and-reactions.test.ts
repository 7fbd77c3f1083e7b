import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { getConversation } from '../../../src/services/messaging/conversations.ts'
import {
  deleteMessage,
  editMessage,
  hideMessage,
  readMessageLog,
} from '../../../src/services/messaging/message-changes.ts'
import { getMessage, sendMessage } from '../../../src/services/messaging/messages.ts'
import {
  addReaction,
  listPinnedMessages,
  listReactions,
  pinMessage,
  removeReaction,
  unpinMessage,
} from '../../../src/services/messaging/reactions.ts'
import { searchMessages } from '../../../src/services/messaging/search.ts'
import { accountsOn, markSuspended } from '../../support/actors.ts'
import { conversationObject, delivered, opened, say } from '../../support/conversations.ts'
import { queues } from '../../support/manual-queues.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser, failure } from '../../support/viewers.ts'

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

const answer = (by: Id, conversationId: string, replyTo: number | undefined, clientId: string = crypto.randomUUID()) =>
  sendMessage(asUser(by), { conversationId, clientId, text: 'an answer', replyTo })
const reactionsOf = async (by: Id, messageId: string) => (await getMessage(asUser(by), { messageId })).reactions

test('an answer quotes the message, as it is now, until that one is deleted or hidden', async () => {
  const id = await friends()
  const { id: first } = await say(ada, id, `${'x'.repeat(150)}`)
  const sent = await answer(bob, id, 1, 'client-id-1')
  expect(sent.replyTo).toEqual({ seq: 1, authorId: ada, text: 'x'.repeat(100) })
  expect((await say(ada, id, 'no answer')).replyTo).toBeNull()
  const quoteFor = async (by: Id) => (await getMessage(asUser(by), { messageId: sent.id })).replyTo
  await editMessage(asUser(ada), { messageId: first, text: 'edited' })
  expect(await quoteFor(ada)).toEqual({ seq: 1, authorId: ada, text: 'edited' })
  await hideMessage(asUser(bob), { messageId: first })
  const gone = { seq: 1, authorId: null, text: null }
  expect([await quoteFor(bob), await quoteFor(ada)]).toEqual([gone, { seq: 1, authorId: ada, text: 'edited' }])
  await deleteMessage(asUser(ada), { messageId: first })
  expect(await quoteFor(ada)).toEqual(gone)
  await markSuspended(bob)
  expect(await getMessage(asUser(ada), { messageId: sent.id })).toMatchObject({ text: null, replyTo: null })
})

test('nobody answers a message that it cannot see, and a repeated answer must answer the same one', async () => {
  const id = await friends()
  for (const text of ['one', 'two', 'three']) await say(ada, id, text)
  await deleteMessage(asUser(ada), { messageId: `${id}.1` })
  await hideMessage(asUser(bob), { messageId: `${id}.2` })
  for (const replyTo of [1, 2, 99]) await expect(answer(bob, id, replyTo)).rejects.toThrow(failure('invalid'))
  const sent = await answer(bob, id, 3, 'client-id-1')
  expect(await answer(bob, id, 3, 'client-id-1')).toEqual(sent)
  await expect(answer(bob, id, undefined, 'client-id-1')).rejects.toThrow(failure('idempotency_mismatch'))
  expect(sent.seq).toBe(4)
})

test('members react with emoji, repeating changes nothing, and counts say who has', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'hello')
  const first = await addReaction(asUser(bob), { messageId, emoji: '👍🏽' })
  expect(first.reactions).toEqual([{ emoji: '👍🏽', count: 1, isOwn: true }])
  expect((await addReaction(asUser(bob), { messageId, emoji: '👍🏽' })).revision).toBe(first.revision)
  await addReaction(asUser(ada), { messageId, emoji: '❤' })
  await addReaction(asUser(ada), { messageId, emoji: '👍🏽' })
  expect(await reactionsOf(bob, messageId)).toEqual([
    { emoji: '👍🏽', count: 2, isOwn: true },
    { emoji: '❤️', count: 1, isOwn: false },
  ])
  const { items } = await listReactions(asUser(bob), { messageId })
  expect(items.map(({ account, emoji }) => [account.id, emoji]).slice(0, 2)).toEqual([
    [bob, '👍🏽'],
    [ada, '❤️'],
  ])
  for (let n = 0; n < 2; n++) await removeReaction(asUser(bob), { messageId, emoji: '👍🏽' })
  expect((await reactionsOf(bob, messageId))[0]).toEqual({ emoji: '❤️', count: 1, isOwn: false })
  await expect(listReactions(asUser(eve), { messageId })).rejects.toThrow(failure('not_found'))
})

test('only emoji of members count, at most 5 of each, not across a block and not on a deleted message', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'hello')
  const react = (by: Id, emoji: string) => addReaction(asUser(by), { messageId, emoji })
  for (const emoji of ['a', '👍👍', '', '1', '👍a', '<b>'])
    await expect(react(bob, emoji)).rejects.toThrow(failure('invalid'))
  await expect(react(eve, '👍')).rejects.toThrow(failure('not_found'))
  for (const emoji of ['👍', '❤️', '😂', '😮', '🏳️‍🌈']) await react(bob, emoji)
  await expect(react(bob, '🎉')).rejects.toThrow(failure('conflict'))
  expect((await react(bob, '👍')).reactions).toHaveLength(5)
  await blockAccount(asUser(ada), { accountId: bob })
  await expect(react(ada, '🎉')).rejects.toThrow(failure('forbidden'))
  const { revision } = await getMessage(asUser(ada), { messageId })
  await removeReaction(asUser(bob), { messageId, emoji: '😂' })
  expect((await getMessage(asUser(bob), { messageId })).revision).toBeGreaterThan(revision)
  await deleteMessage(asUser(ada), { messageId })
  await expect(react(bob, '👍')).rejects.toThrow(failure('not_found'))
  expect(await reactionsOf(ada, messageId)).toEqual([])
})

test('a reaction is a change in the log and a frame, and those of hidden and erased accounts do not count', async () => {
  const id = await friends()
  const { id: messageId, revision } = await say(ada, id, 'hello')
  await delivered(id)
  const socket = await openSocket(ada, null, [`conversation:${id}`])
  await addReaction(asUser(bob), { messageId, emoji: '👍' })
  await delivered(id)
  expect(await socket.takeFrames()).toMatchObject([{ event: 'message.changed', data: { seq: 1 } }])
  socket.close()
  const log = () => readMessageLog(asUser(ada), { conversationId: id, since: revision, limit: 20 })
  expect((await log()).items).toMatchObject([{ reactions: [{ emoji: '👍', count: 1, isOwn: false }] }])
  await markSuspended(bob)
  expect((await log()).items).toMatchObject([{ reactions: [] }])
  expect(await listReactions(asUser(ada), { messageId })).toEqual({ items: [] })
  const before = (await log()).revision
  await conversationObject(id).erase(bob)
  expect((await readMessageLog(asUser(ada), { conversationId: id, since: before, limit: 20 })).items).toHaveLength(1)
})

test('a conversation has up to three pinned messages, which every member sees and removes', async () => {
  const id = await friends()
  for (const text of ['one', 'two', 'three', 'four']) await say(ada, id, text)
  const place = (seq: number) => ({ messageId: `${id}.${seq}` })
  const pinnedFor = async (by: Id) =>
    (await listPinnedMessages(asUser(by), { conversationId: id })).items.map(({ seq }) => seq)
  for (const seq of [2, 1, 1, 3]) expect(await pinMessage(asUser(bob), place(seq))).toMatchObject({ isPinned: true })
  await expect(pinMessage(asUser(ada), place(4))).rejects.toThrow(failure('conflict'))
  expect(await pinnedFor(ada)).toEqual([3, 2, 1])
  await hideMessage(asUser(bob), place(3))
  expect([await pinnedFor(bob), await pinnedFor(ada)]).toEqual([
    [2, 1],
    [3, 2, 1],
  ])
  await deleteMessage(asUser(ada), place(2))
  for (let n = 0; n < 2; n++) await unpinMessage(asUser(ada), place(1))
  expect(await pinnedFor(ada)).toEqual([3])
  await expect(pinMessage(asUser(ada), place(2))).rejects.toThrow(failure('not_found'))
  await expect(pinMessage(asUser(eve), place(1))).rejects.toThrow(failure('not_found'))
  await expect(listPinnedMessages(asUser(eve), { conversationId: id })).rejects.toThrow(failure('not_found'))
})

test('a search finds texts by all their words, without case and accents, and none that are deleted or hidden', async () => {
  const id = await friends()
  for (const text of ['Café at NOON', 'noon', 'the café closes at noon', 'nothing']) await say(ada, id, text)
  const find = async (by: Id, q: string, more: { before?: number; limit?: number } = {}) =>
    searchMessages(asUser(by), { conversationId: id, q, limit: 20, ...more })
  const seqs = async (by: Id, q: string) => (await find(by, q)).items.map(({ seq }) => seq)
  expect(await seqs(bob, 'noon CAFE')).toEqual([3, 1])
  const first = await find(bob, 'noon', { limit: 2 })
  expect([first.items.map(({ seq }) => seq), first.next]).toEqual([[3, 2], 2])
  expect(await find(bob, 'noon', { before: first.next! })).toMatchObject({ items: [{ seq: 1 }], next: null })
  await hideMessage(asUser(bob), { messageId: `${id}.3` })
  await deleteMessage(asUser(ada), { messageId: `${id}.1` })
  expect([await seqs(bob, 'cafe'), await seqs(ada, 'cafe')]).toEqual([[], [3]])
  await expect(find(bob, ' ')).rejects.toThrow(failure('invalid'))
  await expect(find(eve, 'noon')).rejects.toThrow(failure('not_found'))
  await markSuspended(ada)
  expect(await seqs(bob, 'noon')).toEqual([])
})

test('the answer to a repeated edit, reaction or pin has the revision that the conversation has', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'hello')
  await addReaction(asUser(bob), { messageId, emoji: '👍' })
  const { revision } = await pinMessage(asUser(bob), { messageId })
  expect((await pinMessage(asUser(ada), { messageId })).revision).toBe(revision)
  expect((await getConversation(asUser(ada), { conversationId: id })).revision).toBe(revision)
})

test('the sender of a request cannot react or pin before it is accepted, and its edits and deletions are no frames', async () => {
  const id = await opened(eve, bob)
  const { id: messageId } = await say(eve, id, 'hello')
  await say(eve, id, 'again')
  await delivered(id)
  const socket = await openSocket(bob, null, ['conversations', `conversation:${id}`])
  await expect(addReaction(asUser(eve), { messageId, emoji: '👍' })).rejects.toThrow(failure('conflict'))
  await expect(pinMessage(asUser(eve), { messageId })).rejects.toThrow(failure('conflict'))
  await editMessage(asUser(eve), { messageId, text: 'edited' })
  await deleteMessage(asUser(eve), { messageId: `${id}.2` })
  await delivered(id)
  await addReaction(asUser(bob), { messageId, emoji: '👍' })
  await delivered(id)
  const [first] = await socket.takeFrames()
  expect(first).toMatchObject({ event: 'conversation.changed', data: { state: 'active' } })
  await addReaction(asUser(eve), { messageId, emoji: '👍' })
  expect(await reactionsOf(bob, messageId)).toEqual([{ emoji: '👍', count: 2, isOwn: true }])
  socket.close()
})

test('a member undoes what it did to a message that it has deleted for itself', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'hello')
  await addReaction(asUser(bob), { messageId, emoji: '👍' })
  await pinMessage(asUser(bob), { messageId })
  await hideMessage(asUser(bob), { messageId })
  await removeReaction(asUser(bob), { messageId, emoji: '👍' })
  await unpinMessage(asUser(bob), { messageId })
  expect(await getMessage(asUser(ada), { messageId })).toMatchObject({ isPinned: false, reactions: [] })
})

test('a pinned message that all members have deleted for themselves takes no place of the three', async () => {
  const id = await friends()
  for (const text of ['one', 'two', 'three', 'four']) await say(ada, id, text)
  for (const seq of [1, 2, 3]) await pinMessage(asUser(ada), { messageId: `${id}.${seq}` })
  for (const by of [ada, bob]) await hideMessage(asUser(by), { messageId: `${id}.1` })
  expect(await pinMessage(asUser(bob), { messageId: `${id}.4` })).toMatchObject({ isPinned: true })
})

test('the log lists the answers of a message that was edited, deleted or erased, because they quote it', async () => {
  const id = await friends()
  const { id: first } = await say(ada, id, 'one')
  await answer(bob, id, 1)
  let { revision } = await say(ada, id, 'other')
  const listed = async () => {
    const log = await readMessageLog(asUser(bob), { conversationId: id, since: revision, limit: 20 })
    revision = log.revision
    return log.items.filter(({ seq }) => seq === 2).map(({ replyTo }) => replyTo?.text)
  }
  await editMessage(asUser(ada), { messageId: first, text: 'edited' })
  expect(await listed()).toEqual(['edited'])
  await deleteMessage(asUser(ada), { messageId: first })
  expect(await listed()).toEqual([null])
  await conversationObject(id).erase(ada)
  expect(await listed()).toEqual([null])
})
