import { beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  acceptConversation,
  countUnreadMessages,
  declineConversation,
  getConversation,
} from '../../../src/services/messaging/conversations.ts'
import {
  getMessageSettings,
  listMarks,
  markConversationDelivered,
  muteConversation,
  setMessageSettings,
  showTyping,
  unmuteConversation,
} from '../../../src/services/messaging/marks.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn, markSuspended } from '../../support/actors.ts'
import { delivered, inboxOf, opened, say } from '../../support/conversations.ts'
import { queues } from '../../support/manual-queues.ts'
import { openSocket } from '../../support/sockets.ts'
import { until } from '../../support/until.ts'
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
  const id = await opened(ada, bob)
  await say(ada, id, 'hello')
  await delivered(id)
  return id
}

const marksFor = async (by: Id, conversationId: string) => (await listMarks(asUser(by), { conversationId })).items

type Socket = Awaited<ReturnType<typeof openSocket>>
/** The frames about members that arrived, once there are `count` of them. */
async function heard(socket: Socket, count: number) {
  const frames: { event: string; data: unknown }[] = []
  await until(async () => {
    frames.push(...(await socket.takeFrames()).filter(({ event }) => event.startsWith('member.')))
    return frames.length >= count
  })
  return frames.map(({ event, data }) => [event, data])
}

test('a member hears that another one is typing, at most every three seconds, and nothing is stored', async () => {
  const id = await friends()
  const channels = [`conversation:${id}`]
  const [hers, his] = [await openSocket(ada, null, channels), await openSocket(bob, null, channels)]
  for (let n = 0; n < 3; n++) await showTyping(asUser(ada), { conversationId: id })
  expect(await heard(his, 1)).toEqual([['member.typing', { accountId: ada }]])
  const now = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => now + 3_001)
  await showTyping(asUser(ada), { conversationId: id })
  vi.restoreAllMocks()
  expect(await heard(his, 1)).toEqual([['member.typing', { accountId: ada }]])
  await showTyping(asUser(bob), { conversationId: id })
  expect(await heard(hers, 1)).toEqual([['member.typing', { accountId: bob }]])
  await expect(showTyping(asUser(eve), { conversationId: id })).rejects.toThrow(failure('not_found'))
  for (const socket of [hers, his]) socket.close()
})

test('members see how far the others have received and read', async () => {
  const id = await friends()
  const socket = await openSocket(ada, null, [`conversation:${id}`])
  const place = { conversationId: id }
  await say(ada, id, 'two')
  await markConversationDelivered(asUser(bob), { ...place, seq: 9 })
  expect(await marksFor(ada, id)).toEqual([{ accountId: bob, deliveredSeq: 2, readSeq: 0 }])
  expect(await heard(socket, 1)).toEqual([['member.marked', { accountId: bob, deliveredSeq: 2, readSeq: 0 }]])
  await markConversationDelivered(asUser(bob), { ...place, seq: 1 })
  await markConversationRead(asUser(bob), { ...place, seq: 1 })
  expect(await heard(socket, 1)).toEqual([['member.marked', { accountId: bob, deliveredSeq: 2, readSeq: 1 }]])
  expect(await marksFor(ada, id)).toEqual([{ accountId: bob, deliveredSeq: 2, readSeq: 1 }])
  expect(await marksFor(bob, id)).toEqual([{ accountId: ada, deliveredSeq: 2, readSeq: 2 }])
  await expect(listMarks(asUser(eve), place)).rejects.toThrow(failure('not_found'))
  await expect(markConversationDelivered(asUser(eve), { ...place, seq: 1 })).rejects.toThrow(failure('not_found'))
  socket.close()
})

test('marks are told only where both members share theirs', async () => {
  const id = await friends()
  const channels = [`conversation:${id}`]
  const [hers, his] = [await openSocket(ada, null, channels), await openSocket(bob, null, channels)]
  expect(await getMessageSettings(asUser(ada))).toEqual({ sharesMarks: true })
  for (const keeper of [ada, bob]) {
    await setMessageSettings(asUser(keeper), { sharesMarks: false })
    expect(await getMessageSettings(asUser(keeper))).toEqual({ sharesMarks: false })
    expect([await marksFor(ada, id), await marksFor(bob, id)]).toEqual([[], []])
    await showTyping(asUser(ada), { conversationId: id })
    await showTyping(asUser(bob), { conversationId: id })
    await markConversationDelivered(asUser(bob), { conversationId: id, seq: 1 })
    await setMessageSettings(asUser(keeper), { sharesMarks: true })
  }
  await say(bob, id, 'two')
  await markConversationRead(asUser(ada), { conversationId: id, seq: 2 })
  expect(await heard(his, 1)).toEqual([['member.marked', { accountId: ada, deliveredSeq: 2, readSeq: 2 }]])
  await say(ada, id, 'three')
  await markConversationDelivered(asUser(bob), { conversationId: id, seq: 3 })
  expect(await heard(hers, 1)).toEqual([['member.marked', { accountId: bob, deliveredSeq: 3, readSeq: 2 }]])
  for (const socket of [hers, his]) socket.close()
})

test('read marks of members who are blocked, suspended or have not accepted are hidden', async () => {
  const id = await opened(eve, bob)
  await say(eve, id, 'hello')
  await delivered(id)
  const socket = await openSocket(eve, null, [`conversation:${id}`])
  const place = { conversationId: id }
  const silently = async () => {
    await markConversationRead(asUser(bob), { ...place, seq: 1 })
    await markConversationDelivered(asUser(bob), { ...place, seq: 1 })
    await showTyping(asUser(bob), place)
    return marksFor(eve, id)
  }
  expect(await silently()).toEqual([])
  await declineConversation(asUser(bob), place)
  expect(await silently()).toEqual([])
  await acceptConversation(asUser(bob), place)
  expect(await marksFor(eve, id)).toEqual([{ accountId: bob, deliveredSeq: 1, readSeq: 1 }])
  await blockAccount(asUser(bob), { accountId: eve })
  expect(await silently()).toEqual([])
  await unblockAccount(asUser(bob), { accountId: eve })
  await queues.deliver({ times: 2 })
  await say(eve, id, 'two')
  await markConversationRead(asUser(bob), { ...place, seq: 2 })
  expect(await heard(socket, 1)).toEqual([['member.marked', { accountId: bob, deliveredSeq: 2, readSeq: 2 }]])
  socket.close()
  const other = await friends()
  await markSuspended(bob)
  expect(await marksFor(ada, other)).toEqual([])
})

test('a muted conversation does not count as unread in all together, until the time is over or the muting ends', async () => {
  const id = await friends()
  const unread = async () => (await countUnreadMessages(asUser(bob))).messages
  const mute = (time: string) => muteConversation(asUser(bob), { conversationId: id, until: time })
  await expect(mute('2020-01-01T00:00:00Z')).rejects.toThrow(failure('invalid'))
  const time = new Date(Date.now() + 3_600_000).toISOString()
  await mute(time)
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 1, isMuted: true, mutedUntil: time })
  expect(await unread()).toBe(0)
  const later = asUser(bob)
  later.now = () => Date.now() + 3_600_001
  expect((await countUnreadMessages(later)).messages).toBe(1)
  await mute('9999-12-31T00:00:00Z')
  expect(await getConversation(asUser(bob), { conversationId: id })).toMatchObject({ isMuted: true, mutedUntil: null })
  expect((await inboxOf(ada))[0]).toMatchObject({ isMuted: false, mutedUntil: null })
  for (let n = 0; n < 2; n++) await unmuteConversation(asUser(bob), { conversationId: id })
  expect([await unread(), (await inboxOf(bob))[0]?.isMuted]).toEqual([1, false])
  await expect(unmuteConversation(asUser(eve), { conversationId: id })).rejects.toThrow(failure('not_found'))
})
