import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { conversationChannel } from '../../../src/services/messaging/channels.ts'
import { declineConversation } from '../../../src/services/messaging/conversations.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn } from '../../support/actors.ts'
import { delivered, opened, say } from '../../support/conversations.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { type Frame, openSocket } from '../../support/sockets.ts'
import { asUser } from '../../support/viewers.ts'

let ada: Id
let bob: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await accountsOn(0, 1)
})

const told = (frames: Frame[]) => frames.map(({ channel, event, data }) => ({ channel, event, data }))

test('a message reaches both members on the channel of all conversations and on the channel of that conversation', async () => {
  const conversationId = await opened(ada, bob)
  const name = `conversation:${conversationId}`
  const [hers, his] = [
    await openSocket(ada, null, ['conversations']),
    await openSocket(bob, null, ['conversations', name]),
  ]
  await say(ada, conversationId, 'a secret zqframe')
  await delivered(conversationId)
  const changed = (data: object) => ({
    channel: 'conversations',
    event: 'conversation.changed',
    data: { conversationId, seq: 1, revision: expect.any(Number), ...data },
  })
  expect(told(await hers.takeFrames())).toEqual([changed({ readSeq: 1, state: 'active' })])
  const heard = await his.takeFrames()
  const sent = { channel: name, event: 'message.sent', data: { seq: 1 } }
  expect(told(heard)).toEqual([changed({ readSeq: 0, state: 'request' }), sent])
  expect(JSON.stringify(heard)).not.toContain('zqframe')
  await markConversationRead(asUser(bob), { conversationId, seq: 1 })
  expect(told(await his.takeFrames())[0]).toEqual(changed({ readSeq: 1, state: 'request' }))
  expect(await hers.takeFrames()).toEqual([])
  for (const socket of [hers, his]) socket.close()
})

test('who declined a conversation hears nothing of it, and the sender hears nothing of that', async () => {
  const conversationId = await opened(ada, bob)
  await say(ada, conversationId, 'one')
  await delivered(conversationId)
  const [hers, his] = [await openSocket(ada, null, ['conversations']), await openSocket(bob, null, ['conversations'])]
  await declineConversation(asUser(bob), { conversationId })
  expect([await hers.takeFrames(), await his.takeFrames()]).toEqual([[], []])
  await say(ada, conversationId, 'two')
  await delivered(conversationId)
  expect(await his.takeFrames()).toEqual([])
  expect(await countRows('conversations', { account_id: bob })).toBe(1)
  for (const socket of [hers, his]) socket.close()
})

test('only members may join the channel of a conversation', async () => {
  const conversationId = await opened(ada, bob)
  const [eve] = await accountsOn(0)
  await say(ada, conversationId, 'hello')
  const mayJoin = (id: Id, key = conversationId) => conversationChannel.mayJoin(asUser(id), id, key)
  expect([await mayJoin(ada), await mayJoin(bob), await mayJoin(eve)]).toEqual([true, true, false])
  expect(await mayJoin(eve, 'unknown')).toBe(false)
})
