import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { listPushSubscriptions } from '../../../src/services/deliveries/push-subscriptions.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { delivered, opened, say } from '../../support/conversations.ts'
import { prefer, statesOf } from '../../support/deliveries.ts'
import { queues } from '../../support/manual-queues.ts'
import { browser, push, usePushService } from '../../support/push-service.ts'
import { openSocket } from '../../support/sockets.ts'
import { until } from '../../support/until.ts'
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

test('who is online and gets a message every 40 seconds is pushed after a minute', async () => {
  const { ada, bob, id } = await friends()
  await browser(ada, 'phone')
  const socket = await openSocket(ada, null, ['conversations'])
  await sent(bob, id, 'one')
  await push()
  await sent(bob, id, 'two')
  await push(0.7)
  expect(service.sent).toEqual([])
  await sent(bob, id, 'three')
  await push(1.5)
  expect(service.sent.length).toBe(1)
  socket.close()
})

test('the topic that push services read differs between the members of a conversation', async () => {
  const { ada, bob, id } = await friends()
  await browser(ada, 'hers')
  await browser(bob, 'his')
  await sent(bob, id, 'one')
  await push()
  await sent(ada, id, 'two')
  await push()
  await sent(bob, id, 'three')
  await push(2)
  const [hers, his, again] = service.sent.map(({ headers }) => headers.get('topic'))
  expect(hers).toMatch(/^[0-9a-f]{32}$/)
  expect([hers === his, hers === again, hers === id]).toEqual([false, true, false])
})

test('sockets get the frame of a message while the queue of pushes hangs', async () => {
  const { ada, bob, id } = await friends()
  await browser(ada, 'phone')
  const socket = await openSocket(ada, null, ['conversations'])
  vi.spyOn(env.DELIVERIES, 'sendBatch').mockReturnValue(new Promise(() => {}))
  await say(bob, id, 'one')
  await until(async () => (await socket.takeFrames()).some(({ event }) => event === 'conversation.changed'))
  expect(service.sent).toEqual([])
  socket.close()
})

test('a password change and the end of all other logins forget what their old tokens have subscribed', async () => {
  const { ada, bob, id } = await friends()
  await browser(ada, 'stolen')
  const update = 'UPDATE users SET tokens_void_before = ? WHERE id = ?'
  await env.DIRECTORY.prepare(update)
    .bind(Date.now() + 1_000, Number(ada))
    .run()
  await sent(bob, id, 'one')
  await push()
  expect([service.sent, (await listPushSubscriptions(asUser(ada))).items]).toEqual([[], []])
})
