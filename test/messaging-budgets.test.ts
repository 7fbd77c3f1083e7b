import { expect, test } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import { type Id, newId } from '../src/platform/data/ids.ts'
import { conversationChannel } from '../src/services/messaging/channels.ts'
import {
  acceptConversation,
  countUnreadMessages,
  getConversation,
  listConversations,
  openConversation,
  readConversationLog,
} from '../src/services/messaging/conversations.ts'
import { deliverInboxes } from '../src/services/messaging/inboxes.ts'
import {
  getMessageSettings,
  listMarks,
  markConversationDelivered,
  muteConversation,
  setMessageSettings,
  showTyping,
} from '../src/services/messaging/marks.ts'
import {
  deleteMessage,
  editMessage,
  hideMessage,
  listMessageEdits,
  readMessageLog,
} from '../src/services/messaging/message-changes.ts'
import { getMessage, listMessages, markConversationRead, sendMessage } from '../src/services/messaging/messages.ts'
import {
  addReaction,
  listPinnedMessages,
  listReactions,
  pinMessage,
  removeReaction,
  unpinMessage,
} from '../src/services/messaging/reactions.ts'
import { searchMessages } from '../src/services/messaging/search.ts'
import { accountsOn, bulkIds } from './support/actors.ts'
import { type Budget, costOf, expectWithin, PAGE } from './support/budgets.ts'
import { delivered, opened, say } from './support/conversations.ts'
import { insertRows, shards } from './support/databases.ts'
import { insertPush } from './support/pushes.ts'

// Checks the budgets in docs/architecture.md. What an object does after its answer is not part of them.

test('sending, reading and answering cost one object call and no trip; opening costs one trip per shard', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const within = async (name: string, budget: Budget, run: (ctx: UserCtx) => Promise<unknown>) =>
    expectWithin(name, await costOf(ada, run), budget)
  await within('open', { trips: 3, rowsRead: 8, objectCalls: 3 }, (ctx) => openConversation(ctx, { accountId: bob }))
  const again = { trips: 1, rowsRead: 2, objectCalls: 1 }
  await within('open again', again, (ctx) => openConversation(ctx, { accountId: bob }))
  const conversationId = await opened(ada, bob)
  const one = { objectCalls: 1 }
  const text = `${'x'.repeat(1_900)} @grace #tea https://example.org`
  await within('send', one, (ctx) => sendMessage(ctx, { conversationId, clientId: 'client-id', text }))
  await within('send again', one, (ctx) => sendMessage(ctx, { conversationId, clientId: 'client-id', text }))
  const read = { ...one, trips: 1, rowsRead: 2 }
  await say(bob, conversationId, 'hello')
  await within('messages', read, (ctx) => listMessages(ctx, { conversationId, after: 0, limit: PAGE }))
  await within('message', read, (ctx) => getMessage(ctx, { messageId: `${conversationId}.2` }))
  await within('message log', read, (ctx) => readMessageLog(ctx, { conversationId, since: 0, limit: PAGE }))
  await within('edit', one, (ctx) => editMessage(ctx, { messageId: `${conversationId}.1`, text: 'edited' }))
  await within('edits', one, (ctx) => listMessageEdits(ctx, { messageId: `${conversationId}.1` }))
  const messageId = `${conversationId}.2`
  await within('react', read, (ctx) => addReaction(ctx, { messageId, emoji: '👍' }))
  await within('who reacted', read, (ctx) => listReactions(ctx, { messageId }))
  await within('remove a reaction', read, (ctx) => removeReaction(ctx, { messageId, emoji: '👍' }))
  await within('pin', read, (ctx) => pinMessage(ctx, { messageId }))
  await within('pinned', read, (ctx) => listPinnedMessages(ctx, { conversationId }))
  await within('remove a pin', read, (ctx) => unpinMessage(ctx, { messageId }))
  await within('search', read, (ctx) => searchMessages(ctx, { conversationId, q: 'hello', limit: PAGE }))
  await within('marks', { ...one, trips: 4, rowsRead: 4 }, (ctx) => listMarks(ctx, { conversationId }))
  await within('typing', one, (ctx) => showTyping(ctx, { conversationId }))
  await within('delivered', one, (ctx) => markConversationDelivered(ctx, { conversationId, seq: 1 }))
  await within('mute', { objectCalls: 2, trips: 1, rowsRead: 2 }, (ctx) =>
    muteConversation(ctx, { conversationId, until: '9999-12-31T00:00:00Z' }),
  )
  await within('settings', { trips: 1, rowsRead: 1 }, getMessageSettings)
  const changed = { trips: 1, rowsRead: 2, rowsWritten: 1 }
  await within('change settings', changed, (ctx) => setMessageSettings(ctx, { sharesMarks: true }))
  await within('delete', one, (ctx) => deleteMessage(ctx, { messageId: `${conversationId}.1` }))
  await within('hide', one, (ctx) => hideMessage(ctx, { messageId: `${conversationId}.2` }))
  await within('mark as read', one, (ctx) => markConversationRead(ctx, { conversationId, seq: 1 }))
  await within('accept', one, (ctx) => acceptConversation(ctx, { conversationId }))
  const joining = (ctx: UserCtx) => conversationChannel.mayJoin(ctx, ada, 'made-up')
  await within('join a made-up channel', {}, joining)
  await within('conversation', again, (ctx) => getConversation(ctx, { conversationId }))
})

test('images cost the check of the client id and two trips; an answer costs the account that it quotes', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const conversationId = await opened(ada, bob)
  const described = { alt: '', width: 1, height: 1, placeholder: '', animated: 0 }
  const ids = Array.from({ length: 4 }, (_, n) => newId(0, Date.now() - n))
  await insertRows(
    shards[0],
    'media',
    ids.map((id) => ({ id: Number(id), account_id: Number(ada), ...described })),
  )
  const send = (more: object) =>
    costOf(ada, (ctx) => sendMessage(ctx, { conversationId, clientId: crypto.randomUUID(), text: 'hello', ...more }))
  const images = { objectCalls: 2, trips: 2, rowsRead: 40, rowsWritten: 8 }
  expectWithin('images', await send({ media: ids }), images)
  await say(bob, conversationId, 'when?')
  expectWithin('answer', await send({ replyTo: 2 }), { objectCalls: 1, trips: 1, rowsRead: 2 })
})

test('a page of the inbox reads its rows, and the accounts of each shard side by side', async () => {
  const [ada] = await accountsOn(0)
  const others = await bulkIds(PAGE)
  for (const other of others) {
    const id = await opened(other, ada)
    await say(ada, id, 'hello')
    await delivered(id)
  }
  const page = { trips: 3, rowsRead: 4 * PAGE + 2, bucketCalls: 1 }
  const list = (ctx: UserCtx) => listConversations(ctx, { state: 'active', limit: PAGE })
  const cost = await costOf(ada, async (ctx) => expect((await list(ctx)).items).toHaveLength(PAGE))
  expectWithin('inbox', cost, page)
  expectWithin('log', await costOf(ada, (ctx) => readConversationLog(ctx, { limit: PAGE })), page)
  const unread = { trips: 1, rowsRead: 3 * PAGE }
  expectWithin('unread count', await costOf(ada, countUnreadMessages), unread)
})

test('the cost of a delivery and of the log does not grow with the inbox', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const row = { account_id: ada, ended: 0, last_at: 1, read_seq: 0, version: 1, last_seq: 1 }
  const state = (n: number) => (n % 3 === 0 ? 'request' : 'active')
  const rows = Array.from({ length: 500 }, (_, n) => ({
    ...row,
    conversation_id: `c${n}`,
    state: state(n),
    position: n + 1,
    changed: n + 1,
  }))
  await insertRows(shards[0], 'conversations', rows)
  const facts = {
    kind: 'pair',
    name: null,
    memberCount: 2,
    lastEvent: null,
    otherId: bob,
    state: 'active',
    ended: false,
    lastAt: 1,
    lastAuthorId: bob,
    readSeq: 0,
    preview: null,
    told: '0',
    changedSeq: null,
    news: null,
    shownSeq: 1,
    shownKind: 'text',
    unread: 1,
    mutedUntil: 0,
    revision: 1,
  } as const
  for (const lastSeq of [1, 2]) {
    const copy = { ...facts, accountId: ada, conversationId: 'f'.repeat(32), version: lastSeq, lastSeq }
    const delivered = { trips: 1, rowsRead: 5, rowsWritten: 3 }
    expectWithin('delivery', await costOf(ada, (ctx) => deliverInboxes(ctx, [copy])), delivered)
  }
  await insertPush(ada)
  const news = { seq: 3, authorId: bob, at: Date.now() }
  const copy = { ...facts, accountId: ada, conversationId: 'f'.repeat(32), version: 3, lastSeq: 3, news }
  const told = await costOf(ada, (ctx) => deliverInboxes(ctx, [copy]))
  expectWithin('delivery with news', told, { trips: 1, rowsRead: 12, rowsWritten: 6, queueMessages: 1 })
  const log = await costOf(ada, (ctx) => readConversationLog(ctx, { since: '490' as Id, limit: PAGE }))
  expectWithin('log', log, { trips: 2, rowsRead: 2 * PAGE })
})
