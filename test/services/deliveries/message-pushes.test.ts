import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { delivered, opened, say } from '../../support/conversations.ts'
import { prefer, statesOf } from '../../support/deliveries.ts'
import { queues } from '../../support/manual-queues.ts'
import { browser, push, usePushService } from '../../support/push-service.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser } from '../../support/viewers.ts'

const service = usePushService()

async function friends(): Promise<{ ada: Id; bob: Id; id: string }> {
  const [ada, bob] = await accountsOn(0, 1)
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  return { ada, bob, id: await opened(bob, ada) }
}

async function sent(by: Id, conversationId: string, text: string) {
  await say(by, conversationId, text)
  await delivered(conversationId)
}

test('a message is one push without its text, and those within the next minute are one more', async () => {
  const { ada, bob, id } = await friends()
  const { read } = await browser(ada, 'phone')
  await sent(bob, id, 'zqone')
  await push(0, 5)
  for (const text of ['zqtwo', 'zqthree', 'zqfour']) {
    await sent(bob, id, text)
    await push(0.1)
  }
  expect([service.sent.length, await statesOf(ada)]).toEqual([1, ['messagePush due']])
  await push(1.2)
  await push(30)
  const payloads = service.sent.map(({ body }) => read(body).notification)
  const name = handleOf(bob)
  const common = { lang: 'en', dir: 'ltr', tag: id, navigate: `http://127.0.0.1:8787/messages/${id}` }
  expect(payloads).toEqual([
    { title: `${name} sent you a message`, ...common },
    { title: `${name} sent you 4 messages`, ...common },
  ])
  expect(service.sent[0]?.headers.get('topic')).toBe(id)
})

test('a push contains the beginning of a message only for those who ask for it', async () => {
  const { ada, bob, id } = await friends()
  const { read } = await browser(ada, 'phone')
  await prefer(ada, { includeText: true })
  await sent(bob, id, 'hidden')
  await push()
  await prefer(ada, { includeMessages: true })
  await sent(bob, id, 'shown')
  await push(2)
  expect(service.sent.map(({ body }) => read(body).notification.body)).toEqual([undefined, 'shown'])
})

test('a message that arrives while the push about another one is sent is pushed too', async () => {
  const { ada, bob, id } = await friends()
  const { read } = await browser(ada, 'phone')
  await sent(bob, id, 'one')
  service.answer = async () => {
    if (service.sent.length === 1) await sent(bob, id, 'two')
    return new Response(null, { status: 201 })
  }
  await push()
  expect(await statesOf(ada)).toEqual(['messagePush due'])
  await push(2)
  await push(10)
  expect(service.sent.map(({ body }) => read(body).notification.title)).toEqual([
    `${handleOf(bob)} sent you a message`,
    `${handleOf(bob)} sent you 2 messages`,
  ])
})

test('who is online gets a push only of what is not read within a minute', async () => {
  const { ada, bob, id } = await friends()
  await browser(ada, 'phone')
  const socket = await openSocket(ada, null, ['conversations'])
  await sent(bob, id, 'one')
  await push()
  expect([service.sent, await statesOf(ada)]).toEqual([[], ['messagePush due']])
  await markConversationRead(asUser(ada), { conversationId: id, seq: 1 })
  await delivered(id)
  await push(2)
  expect([service.sent, await statesOf(ada)]).toEqual([[], ['messagePush dropped']])
  await sent(bob, id, 'two')
  await push(3)
  expect(service.sent.length).toBe(1)
  socket.close()
})
