import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  acceptConversation,
  countUnreadMessages,
  getConversation,
  openConversation,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import { getMessage, listMessages, markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn } from '../../support/actors.ts'
import { conversationObject, delivered, idOfPair, inboxOf, opened, say } from '../../support/conversations.ts'
import { count, shardHolding, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { asUser, failure } from '../../support/viewers.ts'

const NONE = { messages: 0, conversations: 0, requests: 0 }

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

test('two accounts have one conversation, even if both open it repeatedly and at the same time', async () => {
  const ids = await Promise.all([opened(ada, bob), opened(bob, ada), opened(ada, bob)])
  expect(new Set([...ids, await opened(bob, ada), await idOfPair(bob, ada)]).size).toBe(1)
  expect(ids[0]).not.toContain(ada)
})

test('nobody opens a conversation with itself, a missing account, or across a block', async () => {
  const open = (by: Id, accountId: Id) => openConversation(asUser(by), { accountId })
  await expect(open(ada, ada)).rejects.toThrow(failure('invalid'))
  await expect(open(ada, newId(1, Date.now() - 86_400_000))).rejects.toThrow(failure('not_found'))
  await blockAccount(asUser(bob), { accountId: ada })
  await expect(open(ada, bob)).rejects.toThrow(failure('not_found'))
  await expect(open(bob, ada)).rejects.toThrow(failure('forbidden'))
})

test('messages have one order, and both members read them in pages, forwards and backwards', async () => {
  const id = await friends()
  for (let n = 1; n <= 5; n++) await say(n % 2 ? ada : bob, id, `message ${n}`)
  const page = (cursor?: string | null) =>
    listMessages(asUser(bob), { conversationId: id, after: 0, limit: 2, cursor: cursor ?? undefined })
  const first = await page()
  expect(first.items.map(({ seq }) => seq)).toEqual([5, 4])
  const second = await page(first.nextCursor)
  expect(second.items.map(({ text }) => text)).toEqual(['message 3', 'message 2'])
  expect((await page(second.previousCursor)).items.map(({ seq }) => seq)).toEqual([5, 4])
  const missed = await listMessages(asUser(ada), { conversationId: id, after: 3, limit: 50 })
  expect(missed.items.map(({ seq, authorId }) => [seq, authorId])).toEqual([
    [5, ada],
    [4, bob],
  ])
})

test('a message has entities, and only its author sees its client id', async () => {
  const id = await friends()
  const sent = await say(ada, id, 'see @grace #tea https://example.org', 'client-id-1')
  expect(sent).toMatchObject({ clientId: 'client-id-1', id: `${id}.1`, conversationId: id })
  expect(sent.entities.map(({ kind }) => kind)).toEqual(['mention', 'hashtag', 'link'])
  expect(await getMessage(asUser(bob), { messageId: sent.id })).toEqual({ ...sent, clientId: null })
  await expect(getMessage(asUser(bob), { messageId: `${id}.2` })).rejects.toThrow(failure('not_found'))
})

test('a repeated send returns the first message, also at the same time and after a block', async () => {
  const id = await friends()
  const sent = await Promise.all([1, 2, 3].map(() => say(ada, id, 'try', 'same-client-id')))
  expect(new Set(sent.map(({ seq }) => seq))).toEqual(new Set([1]))
  await expect(say(ada, id, 'another text', 'same-client-id')).rejects.toThrow(failure('idempotency_mismatch'))
  await blockAccount(asUser(bob), { accountId: ada })
  expect(await say(ada, id, 'try', 'same-client-id')).toMatchObject({ seq: 1, text: 'try' })
  expect(await say(bob, id, 'mine', 'same-client-id').catch(({ code }) => code)).toBe('forbidden')
})

test('empty texts, texts of more than 2,000 characters, and ones with more than 50 entities are refused', async () => {
  const id = await friends()
  await expect(say(ada, id, ' \u200b ')).rejects.toThrow(failure('invalid'))
  await expect(say(ada, id, '👍🏽'.repeat(2_001))).rejects.toThrow(failure('invalid'))
  await expect(say(ada, id, '#a '.repeat(51))).rejects.toThrow(failure('invalid'))
  expect((await say(ada, id, '👍🏽'.repeat(2_000))).seq).toBe(1)
})

test('for others than its members, a conversation does not exist, and asking creates nothing', async () => {
  const id = await friends()
  await say(ada, id, 'private')
  const unknown = 'f'.repeat(32)
  for (const conversationId of [id, unknown]) {
    const place = { conversationId }
    await expect(getConversation(asUser(eve), place)).rejects.toThrow(failure('not_found'))
    await expect(listMessages(asUser(eve), { ...place, after: 0, limit: 5 })).rejects.toThrow(failure('not_found'))
    await expect(say(eve, conversationId, 'hello')).rejects.toThrow(failure('not_found'))
    await expect(markConversationRead(asUser(eve), { ...place, seq: 1 })).rejects.toThrow(failure('not_found'))
    await expect(acceptConversation(asUser(eve), place)).rejects.toThrow(failure('not_found'))
  }
  const tables = await runInDurableObject(conversationObject(unknown), (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name NOT GLOB '_cf_*'").toArray(),
  )
  expect(tables).toEqual([])
})

test('the inbox has the newest conversation first, with its last message and the exact number of unread ones', async () => {
  const id = await friends()
  expect(await inboxOf(ada)).toEqual([])
  for (const text of ['one', 'two', 'three']) await say(ada, id, text)
  await delivered(id)
  const [own] = await inboxOf(ada)
  expect(own).toMatchObject({ id, unread: 0, account: { id: bob }, lastMessage: { seq: 3, preview: 'three' } })
  expect((await inboxOf(bob))[0]).toMatchObject({ id, unread: 3, account: { id: ada } })
  expect(await countUnreadMessages(asUser(bob))).toEqual({ ...NONE, messages: 3, conversations: 1 })
  await markConversationRead(asUser(bob), { conversationId: id, seq: 2 })
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 1, readSeq: 2 })
  await markConversationRead(asUser(bob), { conversationId: id, seq: 1 })
  expect(await countUnreadMessages(asUser(bob))).toMatchObject({ messages: 1 })
  await markConversationRead(asUser(bob), { conversationId: id, seq: 99 })
  expect(await countUnreadMessages(asUser(bob))).toEqual(NONE)
  expect(await getConversation(asUser(bob), { conversationId: id })).toMatchObject({ unread: 0, readSeq: 3 })

  const other = await opened(bob, eve)
  await say(bob, other, 'to eve')
  await delivered(other)
  expect((await inboxOf(bob)).map((each) => each.id)).toEqual([other, id])
  await say(ada, id, 'again')
  await delivered(id)
  expect((await inboxOf(bob)).map((each) => each.id)).toEqual([id, other])
})

test('one position covers all conversations, and leads to exactly what has changed since', async () => {
  const [first, second] = [await friends(), await opened(bob, eve)]
  await say(ada, first, 'one')
  await delivered(first)
  const start = await readConversationLog(asUser(bob), { limit: 20 })
  expect(start.items.map(({ id }) => id)).toEqual([first])
  await say(eve, second, 'two')
  await delivered(second)
  const since = start.position!
  expect((await readConversationLog(asUser(bob), { since, limit: 20 })).items.map(({ id }) => id)).toEqual([second])
  await say(ada, first, 'three')
  await delivered(first)
  const step = await readConversationLog(asUser(bob), { since, limit: 1 })
  expect([step.items[0]!.id, step.hasMore]).toEqual([second, true])
  const rest = await readConversationLog(asUser(bob), { since: step.position!, limit: 1 })
  expect(rest).toMatchObject({ items: [{ id: first, lastMessage: { seq: 2 } }], hasMore: false })
  const end = await readConversationLog(asUser(bob), { since: rest.position!, limit: 1 })
  expect(end).toEqual({ items: [], position: rest.position, hasMore: false })
})

test('a change gets a later position than all others of the account, also if the clock is behind them', async () => {
  const [first, second] = [await friends(), await opened(bob, eve)]
  await say(ada, first, 'one')
  await delivered(first)
  const later = 'UPDATE conversations SET position = position + 4000000000, changed = changed + 4000000000'
  await shardHolding(bob).prepare(later).run()
  await say(eve, second, 'two')
  await delivered(second)
  expect((await inboxOf(bob)).map(({ id }) => id)).toEqual([second, first])
})

test('an object that dies between the answer and the inboxes delivers at its alarm', async () => {
  const id = await friends()
  const object = conversationObject(id)
  await say(ada, id, 'one')
  await delivered(id)
  const refuse = "create trigger refuse before update on conversations begin select raise(abort, 'down'); end"
  for (const db of shards) await db.prepare(refuse).run()
  await say(ada, id, 'two')
  await evictDurableObject(object)
  for (const db of shards) await db.prepare('drop trigger refuse').run()
  expect((await inboxOf(bob))[0]).toMatchObject({ lastMessage: { seq: 1 } })
  expect(await runDurableObjectAlarm(object)).toBe(true)
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 2, lastMessage: { seq: 2, preview: 'two' } })
  await runDurableObjectAlarm(object)
  expect(await runInDurableObject(object, (_, { storage }) => storage.getAlarm())).toBeNull()
})

test('an older copy that arrives late does not replace a newer one in the inbox', async () => {
  const id = await friends()
  await say(ada, id, 'one')
  await delivered(id)
  await shardHolding(bob).prepare('update conversations set version = 9000000000000000, read_seq = 1, unread = 0').run()
  await say(ada, id, 'two')
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ lastMessage: { seq: 1 }, unread: 0 })
})

test('a message that is sent while an older one is being delivered is the one that the inboxes show', async () => {
  const id = await friends()
  await say(ada, id, 'one')
  await delivered(id)
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const decrypt = crypto.subtle.decrypt.bind(crypto.subtle)
  vi.spyOn(crypto.subtle, 'decrypt').mockImplementationOnce(async (...args) => {
    reached.resolve()
    await resumed.promise
    return decrypt(...args)
  })
  await say(ada, id, 'two')
  await reached.promise
  await say(ada, id, 'three')
  resumed.resolve()
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 3, lastMessage: { seq: 3, preview: 'three' } })
})

test('no text is readable in a database or in the object', async () => {
  const id = await friends()
  await say(ada, id, 'a secret zqmarker')
  await delivered(id)
  const stored = await runInDurableObject(conversationObject(id), (_, { storage }) =>
    ['messages', 'members', 'outbox', 'conversation'].map((table) =>
      storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
    ),
  )
  expect(stored.flat()).not.toEqual([])
  expect(JSON.stringify(stored)).not.toContain('zqmarker')
  expect(await count("select count(*) n from conversations where preview like '%zqmarker%'")).toBe(0)
  expect(await count('select count(*) n from conversations where preview is not null')).toBeGreaterThan(1)
  expect(JSON.stringify(await env.KEYS.list())).not.toContain('zqmarker')
})
