import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { acceptConversation, declineConversation } from '../../../src/services/messaging/conversations.ts'
import { muteConversation } from '../../../src/services/messaging/marks.ts'
import { deleteMessage, hideMessage } from '../../../src/services/messaging/message-changes.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { addReaction } from '../../../src/services/messaging/reactions.ts'
import { accountsOn, handleOf, markSuspended } from '../../support/actors.ts'
import { delivered, opened, say } from '../../support/conversations.ts'
import { deliveriesOf, prefer, runDue, statesOf, withAddress } from '../../support/deliveries.ts'
import { interceptMails } from '../../support/mails.ts'
import { queues } from '../../support/manual-queues.ts'
import { byMail, type Pair, pair, sent } from '../../support/message-mails.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser } from '../../support/viewers.ts'

const mails = interceptMails()
const subjectsTo = (address: string) => mails.mailsTo(address).map(({ subject }) => subject)

test('several unread messages of a conversation are one mail without their texts, after five minutes', async () => {
  const { ada, bob, id, address } = await pair()
  await sent(bob, id, 'zqsecret one', 'zqsecret two')
  await runDue(4)
  expect([await statesOf(ada), subjectsTo(address)]).toEqual([['messageMail due'], []])
  await runDue(6, { times: 3 })
  await runDue(60)
  const name = handleOf(bob)
  expect([await statesOf(ada), subjectsTo(address)]).toEqual([['messageMail sent'], [`${name} sent you 2 messages`]])
  const [mail] = mails.mailsTo(address)
  expect([JSON.stringify(mail).includes('zqsecret'), mail?.text.includes(`/messages/${id}`)]).toEqual([false, true])
  expect(await statesOf(bob)).toEqual([])
})

test('messages that follow a mail wait for 15 minutes, and a repeated delivery of the inbox plans nothing new', async () => {
  const { ada, bob, id, address } = await pair()
  await sent(bob, id, 'one')
  await runDue(6)
  await addReaction(asUser(bob), { messageId: `${id}.1`, emoji: '👍' })
  await delivered(id)
  expect(await statesOf(ada)).toEqual(['messageMail sent'])
  await sent(bob, id, 'two')
  await sent(bob, id, 'three')
  expect((await deliveriesOf(ada)).length).toBe(1)
  await runDue(12)
  expect(subjectsTo(address).length).toBe(1)
  await runDue(22)
  expect(subjectsTo(address)).toEqual([`${handleOf(bob)} sent you a message`, `${handleOf(bob)} sent you 3 messages`])
})

test('what was read, deleted, muted, blocked, declined or unwanted by then is not mailed', async () => {
  const obstacles: [string, (pair: Pair) => Promise<unknown>][] = [
    ['read', ({ ada, id }) => markConversationRead(asUser(ada), { conversationId: id, seq: 1 })],
    ['answered', ({ ada, id }) => say(ada, id, 'yes')],
    ['deleted', ({ bob, id }) => deleteMessage(asUser(bob), { messageId: `${id}.1` })],
    ['muted', ({ ada, id }) => muteConversation(asUser(ada), { conversationId: id, until: '9999-12-31T00:00:00Z' })],
    ['blocked', ({ ada, bob }) => blockAccount(asUser(ada), { accountId: bob })],
    ['blocked by', ({ ada, bob }) => blockAccount(asUser(bob), { accountId: ada })],
    ['declined', ({ ada, id }) => declineConversation(asUser(ada), { conversationId: id })],
    ['unwanted', ({ ada }) => prefer(ada, { rules: { message: { mail: 'nobody' } } })],
    ['hidden', ({ ada, id }) => hideMessage(asUser(ada), { messageId: `${id}.1` })],
    ['author suspended', ({ bob }) => markSuspended(bob)],
    ['suspended', ({ ada }) => markSuspended(ada)],
  ]
  for (const [name, obstruct] of obstacles) {
    const made = await pair()
    await sent(made.bob, made.id, 'hello')
    expect([name, await statesOf(made.ada)]).toEqual([name, ['messageMail due']])
    await obstruct(made)
    await queues.deliver()
    await delivered(made.id)
    await runDue(6)
    expect([name, await statesOf(made.ada), subjectsTo(made.address)]).toEqual([name, ['messageMail dropped'], []])
  }
})

test('in a muted conversation, and for those whom the rules exclude, nothing is planned', async () => {
  const { ada, bob, id } = await pair()
  await sent(bob, id, 'one')
  await muteConversation(asUser(ada), { conversationId: id, until: '9999-12-31T00:00:00Z' })
  await runDue(6)
  await sent(bob, id, 'two')
  expect(await statesOf(ada)).toEqual(['messageMail dropped'])
  const other = await pair()
  await prefer(other.ada, { rules: { message: { mail: 'followers' } } })
  await sent(other.bob, other.id, 'one')
  expect(await statesOf(other.ada)).toEqual([])
  await followAccount(asUser(other.bob), { accountId: other.ada })
  await queues.deliver()
  await sent(other.bob, other.id, 'two')
  expect(await statesOf(other.ada)).toEqual(['messageMail due'])
})

test('a request has a rule of its own, and its text is never mailed', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const address = await withAddress(ada)
  const id = await opened(bob, ada)
  await prefer(ada, { rules: { message: { mail: 'everyone' } }, includeMessages: true })
  await sent(bob, id, 'zqone')
  expect(await statesOf(ada)).toEqual([])
  await prefer(ada, { ...byMail, includeMessages: true })
  await sent(bob, id, 'zqtwo')
  await runDue(6)
  expect(subjectsTo(address)).toEqual([`${handleOf(bob)} wants to message you`])
  await acceptConversation(asUser(ada), { conversationId: id })
  await sent(bob, id, 'zqthree')
  await runDue(30)
  const [first, second] = mails.mailsTo(address).map(({ text }) => text)
  expect([first?.includes('zq'), second?.includes('“zqthree”'), second?.includes('zqtwo')]).toEqual([
    false,
    true,
    false,
  ])
})

test('conversations within the same period are one mail, and quiet hours hold it', async () => {
  const { ada, bob, id, address } = await pair()
  const [cyd] = await accountsOn(0)
  await followAccount(asUser(ada), { accountId: cyd })
  const other = await opened(cyd, ada)
  const clock = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16)
  await prefer(ada, { ...byMail, quietHours: { timeZone: 'UTC', from: clock(-10), to: clock(60) } })
  await sent(bob, id, 'one')
  await sent(cyd, other, 'one')
  await runDue(6)
  expect(subjectsTo(address)).toEqual([])
  await runDue(62)
  expect(subjectsTo(address)).toEqual(['2 conversations with new messages'])
  expect(await statesOf(ada)).toEqual(['messageMail sent', 'messageMail sent'])
})

test('who is online gets no mail, and a hub that is down counts as nobody online', async () => {
  const { ada, bob, id, address } = await pair()
  const socket = await openSocket(ada, null, ['conversations'])
  await sent(bob, id, 'one')
  await runDue(6)
  expect([await statesOf(ada), subjectsTo(address)]).toEqual([['messageMail due'], []])
  socket.close()
  const named = vi
    .spyOn(env.HUB, 'getByName')
    .mockReturnValue({ online: async () => Promise.reject(new Error('down')) } as never)
  await runDue(22)
  named.mockRestore()
  expect([await statesOf(ada), subjectsTo(address).length]).toEqual([['messageMail sent'], 1])
})
