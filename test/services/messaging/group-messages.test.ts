import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { listMarks, markConversationDelivered, showTyping } from '../../../src/services/messaging/marks.ts'
import { editMessage, readMessageLog } from '../../../src/services/messaging/message-changes.ts'
import { getMessage, markConversationRead, sendMessage } from '../../../src/services/messaging/messages.ts'
import {
  addReaction,
  listPinnedMessages,
  listReactions,
  pinMessage,
  unpinMessage,
} from '../../../src/services/messaging/reactions.ts'
import { searchMessages } from '../../../src/services/messaging/search.ts'
import { accountsOn } from '../../support/actors.ts'
import { delivered, say } from '../../support/conversations.ts'
import { groupOf, leave, setRole } from '../../support/groups.ts'
import { queues } from '../../support/manual-queues.ts'
import { openSocket } from '../../support/sockets.ts'
import { until } from '../../support/until.ts'
import { asUser, failure } from '../../support/viewers.ts'

let ada: Id
let bob: Id
let cleo: Id
let id: string
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cleo] = await accountsOn(0, 1, 0)
  id = await groupOf(ada, [bob, cleo])
})

async function blocked(): Promise<void> {
  await blockAccount(asUser(bob), { accountId: cleo })
  await queues.deliver({ times: 2 })
}

test('two members across a block see no reactions, quotes and texts of each other, and find none in a search', async () => {
  const { id: messageId, seq } = await say(cleo, id, 'a noon zq')
  await addReaction(asUser(cleo), { messageId, emoji: '👍' })
  const answer = { conversationId: id, clientId: 'client-id-1', text: 'an answer', replyTo: seq }
  const { id: answerId } = await sendMessage(asUser(ada), answer)
  await addReaction(asUser(bob), { messageId: answerId, emoji: '🎉' })
  await blocked()
  const quoted = { seq, authorId: null, text: null }
  expect(await getMessage(asUser(bob), { messageId: answerId })).toMatchObject({ text: 'an answer', replyTo: quoted })
  expect(await getMessage(asUser(bob), { messageId })).toMatchObject({ text: null, authorId: null, reactions: [] })
  expect(await listReactions(asUser(bob), { messageId })).toEqual({ items: [] })
  expect((await getMessage(asUser(cleo), { messageId: answerId })).reactions).toEqual([])
  expect((await listReactions(asUser(ada), { messageId })).items).toHaveLength(1)
  expect((await searchMessages(asUser(bob), { conversationId: id, q: 'noon', limit: 5 })).items).toEqual([])
  expect((await searchMessages(asUser(ada), { conversationId: id, q: 'noon', limit: 5 })).items).toHaveLength(1)
})

test('two members across a block hear no typing and no marks of each other, in both directions', async () => {
  await say(ada, id, 'hello')
  await delivered(id)
  await blocked()
  const place = { conversationId: id }
  const channels = [`conversation:${id}`]
  const sockets = [await openSocket(bob, null, channels), await openSocket(cleo, null, channels)]
  for (const by of [bob, cleo]) {
    await showTyping(asUser(by), place)
    await markConversationDelivered(asUser(by), { ...place, seq: 2 })
    await markConversationRead(asUser(by), { ...place, seq: 2 })
  }
  await showTyping(asUser(ada), place)
  for (const socket of sockets) {
    const heard: { event: string; data: unknown }[] = []
    await until(async () => {
      heard.push(...(await socket.takeFrames()).filter(({ event }) => event.startsWith('member.')))
      return heard.length > 0
    })
    expect(heard.map(({ event, data }) => ({ event, data }))).toEqual([
      { event: 'member.typing', data: { accountId: ada } },
    ])
    socket.close()
  }
  const marksFor = async (by: Id) => (await listMarks(asUser(by), place)).items.map(({ accountId }) => accountId)
  expect([await marksFor(bob), await marksFor(cleo)]).toEqual([[ada], [ada]])
  expect((await marksFor(ada)).sort()).toEqual([bob, cleo].sort())
})

test('only the owner and admins pin in a group, and former members can do nothing', async () => {
  const { id: messageId } = await say(bob, id, 'hello')
  await expect(pinMessage(asUser(bob), { messageId })).rejects.toThrow(failure('forbidden'))
  await setRole(ada, id, bob, 'admin')
  expect((await pinMessage(asUser(bob), { messageId })).isPinned).toBe(true)
  await expect(unpinMessage(asUser(cleo), { messageId })).rejects.toThrow(failure('forbidden'))
  await leave(bob, id)
  const place = { conversationId: id }
  for (const refused of [
    () => addReaction(asUser(bob), { messageId, emoji: '👍' }),
    () => unpinMessage(asUser(bob), { messageId }),
    () => listPinnedMessages(asUser(bob), place),
    () => listMarks(asUser(bob), place),
    () => showTyping(asUser(bob), place),
    () => editMessage(asUser(bob), { messageId, text: 'edited' }),
    () => searchMessages(asUser(bob), { ...place, q: 'hello', limit: 5 }),
    () => readMessageLog(asUser(bob), { ...place, since: 0, limit: 5 }),
  ])
    await expect(refused()).rejects.toThrow(failure('not_found'))
})
