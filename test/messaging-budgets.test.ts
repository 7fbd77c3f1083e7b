import { expect, test } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import {
  acceptConversation,
  countUnreadMessages,
  getConversation,
  listConversations,
  openConversation,
  readConversationLog,
} from '../src/services/messaging/conversations.ts'
import { getMessage, listMessages, markConversationRead, sendMessage } from '../src/services/messaging/messages.ts'
import { accountsOn, bulkIds } from './support/actors.ts'
import { type Budget, costOf, expectWithin, PAGE } from './support/budgets.ts'
import { delivered, opened, say } from './support/conversations.ts'

// Checks the budgets in docs/architecture.md. What an object does after its answer is not part of them.

test('sending, reading and answering cost one object call and no trip; opening costs one trip per shard', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const within = async (name: string, budget: Budget, run: (ctx: UserCtx) => Promise<unknown>) =>
    expectWithin(name, await costOf(ada, run), budget)
  await within('open', { trips: 3, rowsRead: 8, objectCalls: 2 }, (ctx) => openConversation(ctx, { accountId: bob }))
  const again = { trips: 1, rowsRead: 2, objectCalls: 1 }
  await within('open again', again, (ctx) => openConversation(ctx, { accountId: bob }))
  const conversationId = await opened(ada, bob)
  const one = { objectCalls: 1 }
  const text = `${'x'.repeat(1_900)} @grace #tea https://example.org`
  await within('send', one, (ctx) => sendMessage(ctx, { conversationId, clientId: 'client-id', text }))
  await within('send again', one, (ctx) => sendMessage(ctx, { conversationId, clientId: 'client-id', text }))
  await within('messages', one, (ctx) => listMessages(ctx, { conversationId, after: 0, limit: PAGE }))
  await within('message', one, (ctx) => getMessage(ctx, { messageId: `${conversationId}.1` }))
  await within('mark as read', one, (ctx) => markConversationRead(ctx, { conversationId, seq: 1 }))
  await within('accept', one, (ctx) => acceptConversation(ctx, { conversationId }))
  await within('conversation', again, (ctx) => getConversation(ctx, { conversationId }))
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
