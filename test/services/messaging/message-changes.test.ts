import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  countUnreadMessages,
  declineConversation,
  getConversation,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import {
  deleteMessage,
  editMessage,
  hideMessage,
  listMessageEdits,
  readMessageLog,
} from '../../../src/services/messaging/message-changes.ts'
import { getMessage, listMessages, markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn } from '../../support/actors.ts'
import { conversationObject, delivered, inboxOf, opened, say, textsFor } from '../../support/conversations.ts'
import { queues } from '../../support/manual-queues.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser, failure } from '../../support/viewers.ts'

const DAY_MS = 24 * 3_600_000

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

const stored = (id: string, statement: string) =>
  runInDurableObject(conversationObject(id), (_, { storage }) => storage.sql.exec(statement).toArray())
const logOf = (by: Id, conversationId: string, since = 0) =>
  readMessageLog(asUser(by), { conversationId, since, limit: 20 })

test('the author edits a message, and members read what it said before', async () => {
  const id = await friends()
  const sent = await say(ada, id, 'first #tea')
  const messageId = sent.id
  const edited = await editMessage(asUser(ada), { messageId, text: ' second #cake ' })
  expect(edited).toMatchObject({ seq: 1, text: 'second #cake', entities: [{ tag: 'cake' }], createdAt: sent.createdAt })
  expect(edited.editedAt).not.toBeNull()
  await editMessage(asUser(ada), { messageId, text: 'third' })
  expect(await getMessage(asUser(bob), { messageId })).toMatchObject({ text: 'third', kind: 'text' })
  const { items } = await listMessageEdits(asUser(bob), { messageId })
  expect(items.map(({ text }) => text)).toEqual(['first #tea', 'second #cake'])
  expect(items.map(({ createdAt }) => createdAt)).toEqual([sent.createdAt, edited.editedAt])
  await expect(listMessageEdits(asUser(eve), { messageId })).rejects.toThrow(failure('not_found'))
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 1, lastMessage: { seq: 1, preview: 'third' } })
})

test('only the author edits, for 24 hours, 20 times, and not across a block; a refused edit changes nothing', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'mine')
  const edit = (by: Id, text: string) => editMessage(asUser(by), { messageId, text })
  await expect(edit(bob, 'his')).rejects.toThrow(failure('forbidden'))
  await expect(edit(eve, 'hers')).rejects.toThrow(failure('not_found'))
  await expect(edit(ada, ' ')).rejects.toThrow(failure('invalid'))
  await stored(id, `UPDATE messages SET at = at - ${DAY_MS + 1}`)
  await expect(edit(ada, 'late')).rejects.toThrow(failure('conflict'))
  await stored(id, `UPDATE messages SET at = at + ${DAY_MS + 1}`)
  for (let n = 1; n <= 20; n++) await edit(ada, `edit ${n}`)
  await expect(edit(ada, 'often')).rejects.toThrow(failure('conflict'))
  const { revision } = await edit(ada, 'edit 20')
  await blockAccount(asUser(bob), { accountId: ada })
  await expect(edit(ada, 'blocked')).rejects.toThrow(failure('forbidden'))
  expect((await edit(ada, 'edit 20')).revision).toBe(revision)
  expect((await listMessageEdits(asUser(ada), { messageId })).items).toHaveLength(20)
})

test('edits at the same time all count, and are in the history', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'zero')
  const texts = ['one', 'two', 'three', 'four']
  await Promise.all(texts.map((text) => editMessage(asUser(ada), { messageId, text })))
  const { text } = await getMessage(asUser(bob), { messageId })
  const before = (await listMessageEdits(asUser(bob), { messageId })).items.map((version) => version.text)
  expect(before[0]).toBe('zero')
  expect([...before.slice(1), text].sort()).toEqual([...texts].sort())
})

test('a repeated send returns the edited message, and another text is still a mismatch', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'original', 'client-id-1')
  await editMessage(asUser(ada), { messageId, text: 'edited' })
  expect(await say(ada, id, 'original', 'client-id-1')).toMatchObject({ id: messageId, text: 'edited' })
  await expect(say(ada, id, 'edited', 'client-id-1')).rejects.toThrow(failure('idempotency_mismatch'))
  await deleteMessage(asUser(ada), { messageId })
  expect(await say(ada, id, 'original', 'client-id-1')).toMatchObject({ id: messageId, kind: 'deleted', text: null })
})

test('the author deletes a message for everybody: its text, its history and all previews are gone, its place stays', async () => {
  const id = await friends()
  await say(ada, id, 'kept')
  const { id: messageId } = await say(ada, id, 'zqsecret')
  await editMessage(asUser(ada), { messageId, text: 'zqsecret two' })
  await expect(deleteMessage(asUser(bob), { messageId })).rejects.toThrow(failure('forbidden'))
  await blockAccount(asUser(bob), { accountId: ada })
  for (let n = 0; n < 2; n++) await deleteMessage(asUser(ada), { messageId })
  expect(await getMessage(asUser(ada), { messageId })).toMatchObject({
    seq: 2,
    kind: 'deleted',
    text: null,
    entities: [],
  })
  expect(await listMessageEdits(asUser(ada), { messageId })).toEqual({ items: [] })
  await expect(editMessage(asUser(ada), { messageId, text: 'again' })).rejects.toThrow(failure('not_found'))
  await delivered(id)
  expect((await inboxOf(ada))[0]?.lastMessage).toMatchObject({ seq: 2, kind: 'deleted', preview: null, authorId: ada })
  expect((await inboxOf(bob))[0]?.lastMessage).toMatchObject({ seq: 2, preview: null })
  expect(await stored(id, 'SELECT * FROM edits')).toEqual([])
  expect(await stored(id, 'SELECT body FROM messages WHERE seq = 2')).toEqual([{ body: null }])
  expect(await textsFor(ada, id)).toEqual(['kept', null])
})

test('a message that a member deletes for itself is gone from its history, preview and count, and stays for others', async () => {
  const id = await friends()
  for (const text of ['one', 'two', 'three']) await say(ada, id, text)
  const place = { messageId: `${id}.3` }
  for (let n = 0; n < 2; n++) await hideMessage(asUser(bob), place)
  await hideMessage(asUser(bob), { messageId: `${id}.1` })
  await expect(getMessage(asUser(bob), place)).rejects.toThrow(failure('not_found'))
  await expect(listMessageEdits(asUser(bob), place)).rejects.toThrow(failure('not_found'))
  await expect(hideMessage(asUser(bob), { messageId: `${id}.4` })).rejects.toThrow(failure('not_found'))
  await expect(hideMessage(asUser(eve), place)).rejects.toThrow(failure('not_found'))
  expect(await textsFor(bob, id)).toEqual(['two'])
  expect(await textsFor(ada, id)).toEqual(['one', 'two', 'three'])
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 1, lastMessage: { seq: 2, preview: 'two' } })
  expect(await countUnreadMessages(asUser(bob))).toMatchObject({ messages: 1, conversations: 1 })
  expect(await getConversation(asUser(ada), { conversationId: id })).toMatchObject({
    lastMessage: { preview: 'three' },
  })
  await markConversationRead(asUser(bob), { conversationId: id, seq: 2 })
  expect(await countUnreadMessages(asUser(bob))).toMatchObject({ messages: 0, conversations: 0 })
  await hideMessage(asUser(bob), { messageId: `${id}.2` })
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 0, lastMessage: null })
  const page = await listMessages(asUser(bob), { conversationId: id, after: 0, limit: 2 })
  expect(page).toMatchObject({ items: [], nextCursor: null })
})

test('the log of messages has each new and changed one once, oldest change first, and leads on', async () => {
  const id = await friends()
  for (const text of ['one', 'two', 'three']) await say(ada, id, text)
  const first = await readMessageLog(asUser(bob), { conversationId: id, since: 0, limit: 2 })
  expect(first).toMatchObject({ items: [{ text: 'one' }, { text: 'two' }], hasMore: true })
  const second = await logOf(bob, id, first.revision)
  expect(second).toMatchObject({ items: [{ text: 'three' }], hasMore: false })
  await editMessage(asUser(ada), { messageId: `${id}.1`, text: 'edited' })
  await deleteMessage(asUser(ada), { messageId: `${id}.2` })
  await hideMessage(asUser(bob), { messageId: `${id}.3` })
  const third = await logOf(bob, id, second.revision)
  expect(third.items.map(({ seq, kind, text }) => [seq, kind, text])).toEqual([
    [1, 'text', 'edited'],
    [2, 'deleted', null],
  ])
  expect(third.hidden).toEqual([3])
  const facts = await getConversation(asUser(bob), { conversationId: id })
  expect(facts.revision).toBe(third.revision)
  expect(await logOf(bob, id, third.revision)).toEqual({
    items: [],
    hidden: [],
    revision: third.revision,
    hasMore: false,
  })
  expect((await logOf(ada, id, second.revision)).hidden).toEqual([])
  await expect(logOf(eve, id)).rejects.toThrow(failure('not_found'))
})

test('the log of conversations lists one after an edit, a deletion, a read mark, a decline and a block', async () => {
  const id = await friends()
  await say(ada, id, 'one')
  await delivered(id)
  let since = (await readConversationLog(asUser(bob), { limit: 20 })).position!
  const listed = async () => {
    await delivered(id)
    const { items, position } = await readConversationLog(asUser(bob), { since, limit: 20 })
    since = position!
    return items.map((item) => item.id)
  }
  expect(await listed()).toEqual([])
  const changes = [
    () => editMessage(asUser(ada), { messageId: `${id}.1`, text: 'edited' }),
    () => markConversationRead(asUser(bob), { conversationId: id, seq: 1 }),
    () => deleteMessage(asUser(ada), { messageId: `${id}.1` }),
    () => hideMessage(asUser(bob), { messageId: `${id}.1` }),
    () => declineConversation(asUser(bob), { conversationId: id }),
    () => blockAccount(asUser(bob), { accountId: ada }),
  ]
  for (const change of changes) {
    await change()
    expect(await listed()).toEqual([id])
    expect(await listed()).toEqual([])
  }
  expect((await readConversationLog(asUser(bob), { limit: 20 })).items).toEqual([])
})

test('sockets of all members get frames of edits and deletions, and only the own sockets of what a member deletes for itself', async () => {
  const id = await friends()
  for (const text of ['one', 'two']) await say(ada, id, text)
  await delivered(id)
  const channels = ['conversations', `conversation:${id}`]
  const [hers, his] = [await openSocket(ada, null, channels), await openSocket(bob, null, channels)]
  const heard = async (socket: typeof hers) => {
    await delivered(id)
    return (await socket.takeFrames()).map(({ event, data }) => [event, (data as { seq: number }).seq])
  }
  const edited = await editMessage(asUser(ada), { messageId: `${id}.1`, text: 'edited' })
  await delivered(id)
  const [changed, message] = await his.takeFrames()
  expect(changed).toMatchObject({ event: 'conversation.changed', data: { seq: 2, revision: edited.revision } })
  expect(message).toMatchObject({ event: 'message.changed', data: { seq: 1, revision: edited.revision } })
  expect(JSON.stringify([changed, message])).not.toContain('edited')
  const both = (seq: number) => [
    ['conversation.changed', 2],
    ['message.changed', seq],
  ]
  expect(await heard(hers)).toEqual(both(1))
  await hideMessage(asUser(bob), { messageId: `${id}.2` })
  expect([await heard(hers), await heard(his)]).toEqual([[], both(2)])
  await deleteMessage(asUser(ada), { messageId: `${id}.1` })
  expect([await heard(hers), await heard(his)]).toEqual([both(1), both(1)])
  for (const socket of [hers, his]) socket.close()
})

test('the texts of edits are sealed, and the erasure of their author deletes them', async () => {
  const id = await friends()
  const { id: messageId } = await say(ada, id, 'zqfirst')
  await editMessage(asUser(ada), { messageId, text: 'zqsecond' })
  const rows = [...(await stored(id, 'SELECT * FROM edits')), ...(await stored(id, 'SELECT * FROM messages'))]
  expect(rows).toHaveLength(2)
  expect(JSON.stringify(rows)).not.toContain('zq')
  const { revision } = await logOf(bob, id)
  await conversationObject(id).erase(ada)
  expect(await stored(id, 'SELECT * FROM edits')).toEqual([])
  expect((await logOf(bob, id, revision)).items).toMatchObject([{ seq: 1, authorId: null, text: null, editedAt: null }])
})
