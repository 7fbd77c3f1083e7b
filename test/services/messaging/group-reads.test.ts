import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { listMarks, showTyping } from '../../../src/services/messaging/marks.ts'
import { getMessage, markConversationRead, sendMessage } from '../../../src/services/messaging/messages.ts'
import {
  addReaction,
  listPinnedMessages,
  listReactions,
  pinMessage,
} from '../../../src/services/messaging/reactions.ts'
import { searchMessages } from '../../../src/services/messaging/search.ts'
import { accountsOn } from '../../support/actors.ts'
import { delivered, inboxOf, say } from '../../support/conversations.ts'
import { add, groupOf, remove } from '../../support/groups.ts'
import { queues } from '../../support/manual-queues.ts'
import { seedFollows } from '../../support/seed.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser, failure } from '../../support/viewers.ts'

// Ada owns the group, and Bob and Cleo follow her.
let ada: Id
let bob: Id
let cleo: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cleo] = await accountsOn(0, 1, 0)
})

const search = async (by: Id, conversationId: string, q: string) =>
  (await searchMessages(asUser(by), { conversationId, q, limit: 20 })).items.map(({ text }) => text)
const pinned = async (by: Id, conversationId: string) =>
  (await listPinnedMessages(asUser(by), { conversationId })).items.map(({ text }) => text)
const reply = (by: Id, conversationId: string, replyTo: number) =>
  sendMessage(asUser(by), { conversationId, clientId: crypto.randomUUID(), text: 'an answer', media: [], replyTo })

test('what was before joining is in no quote, search, pin or list of reactions, and cannot be answered', async () => {
  const id = await groupOf(ada, [bob])
  await say(bob, id, 'early')
  await pinMessage(asUser(ada), { messageId: `${id}.2` })
  await seedFollows([[cleo, ada]])
  await add(ada, id, cleo)
  const answer = await reply(bob, id, 2)
  expect((await getMessage(asUser(ada), { messageId: answer.id })).replyTo).toMatchObject({ text: 'early' })
  expect((await getMessage(asUser(cleo), { messageId: answer.id })).replyTo?.text ?? null).toBeNull()
  expect([await search(ada, id, 'early'), await search(cleo, id, 'early')]).toEqual([['early'], []])
  expect([await pinned(ada, id), await pinned(cleo, id)]).toEqual([['early'], []])
  await expect(addReaction(asUser(cleo), { messageId: `${id}.2`, emoji: '👍' })).rejects.toThrow(failure('not_found'))
  await expect(listReactions(asUser(cleo), { messageId: `${id}.2` })).rejects.toThrow(failure('not_found'))
  await expect(reply(cleo, id, 2)).rejects.toThrow()
  await expect(pinMessage(asUser(bob), { messageId: answer.id })).rejects.toThrow(failure('forbidden'))
  await remove(ada, id, bob)
  await expect(search(bob, id, 'early')).rejects.toThrow(failure('not_found'))
  await expect(pinned(bob, id)).rejects.toThrow(failure('not_found'))
})

test('across a block, members see no quote, reaction and read mark of each other, and hear no typing', async () => {
  const id = await groupOf(ada, [bob, cleo])
  const said = await say(bob, id, 'hello')
  const answer = await reply(ada, id, 2)
  await addReaction(asUser(bob), { messageId: answer.id, emoji: '👍' })
  await blockAccount(asUser(cleo), { accountId: bob })
  await queues.deliver({ times: 2 })
  await delivered(id)
  const shown = await getMessage(asUser(cleo), { messageId: answer.id })
  expect([shown.replyTo, shown.reactions]).toMatchObject([{ authorId: null, text: null }, []])
  expect((await listReactions(asUser(cleo), { messageId: answer.id })).items).toEqual([])
  expect(await search(cleo, id, 'hello')).toEqual([])
  await markConversationRead(asUser(bob), { conversationId: id, seq: said.seq })
  const marks = await listMarks(asUser(cleo), { conversationId: id })
  expect(marks.items.map(({ accountId }) => accountId)).toEqual([ada])
  const [hers, owners] = await Promise.all(
    [cleo, ada].map((member) => openSocket(member, null, [`conversation:${id}`])),
  )
  await showTyping(asUser(bob), { conversationId: id })
  await expect.poll(async () => (await owners!.takeFrames()).map(({ event }) => event)).toContain('member.typing')
  expect((await hers!.takeFrames()).map(({ event }) => event)).toEqual([])
  expect(await inboxOf(cleo)).toMatchObject([{ id, ended: false }])
  for (const socket of [hers, owners]) socket!.close()
})
