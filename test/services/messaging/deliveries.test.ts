import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { asViewer } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { destroyKeys } from '../../../src/platform/security/account-keys.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  countUnreadMessages,
  declineConversation,
  listConversations,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import { deliverInboxes, type InboxCopy } from '../../../src/services/messaging/inboxes.ts'
import { deleteMessage } from '../../../src/services/messaging/message-changes.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn } from '../../support/actors.ts'
import { conversationObject, delivered, idOfPair, inboxOf, opened, say } from '../../support/conversations.ts'
import { count, shardHolding } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { until } from '../../support/until.ts'
import { asUser } from '../../support/viewers.ts'

let ada: Id
let bob: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await accountsOn(0, 1)
})

async function friends(): Promise<string> {
  await followAccount(asUser(bob), { accountId: ada })
  return opened(ada, bob)
}

test('the inbox, the log and the counts show a delivered message although the replicas lag', async () => {
  const id = await friends()
  await say(ada, id, 'hello')
  await delivered(id)
  const ctx = asViewer(createContext({ env: withLaggingReplicas(env), waitUntil: () => {} }), bob)
  expect((await listConversations(ctx, { state: 'active', limit: 5 })).items.map((item) => item.id)).toEqual([id])
  expect((await readConversationLog(ctx, { limit: 5 })).items.map((item) => item.id)).toEqual([id])
  expect((await countUnreadMessages(ctx)).messages).toBe(1)
})

test('blocking a made-up id creates no object, and an unblock neither', async () => {
  const unknown = newId(1, Date.now() - 86_400_000)
  await blockAccount(asUser(ada), { accountId: unknown })
  await queues.deliver({ times: 2 })
  const tables = async () =>
    runInDurableObject(conversationObject(await idOfPair(ada, unknown)), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_schema WHERE name NOT GLOB '_cf_*'").toArray(),
    )
  expect(await tables()).toEqual([])
  await unblockAccount(asUser(ada), { accountId: unknown })
  await queues.deliver({ times: 2 })
  expect(await tables()).toEqual([])
})

test('who declined a conversation gets no copies of new messages, but loses the preview of a deleted one', async () => {
  const id = await opened(ada, bob)
  await say(ada, id, 'zqunwanted')
  await delivered(id)
  await declineConversation(asUser(bob), { conversationId: id })
  const row = () =>
    shardHolding(bob).prepare('select * from conversations where account_id = ?').bind(Number(bob)).first()
  const before = await row()
  await say(ada, id, 'two')
  await delivered(id)
  expect(await row()).toEqual(before)
  await deleteMessage(asUser(ada), { messageId: `${id}.1` })
  await deleteMessage(asUser(ada), { messageId: `${id}.2` })
  await delivered(id)
  expect((await inboxOf(bob, 'declined'))[0]?.lastMessage).toMatchObject({ kind: 'deleted', preview: null })
})

test('a delivery that arrives after the erasure of its account does not create a key again', async () => {
  const id = await friends()
  await say(ada, id, 'hello')
  await delivered(id)
  const ctx = createContext({ env: { ...env }, waitUntil: () => {}, start: 'first-primary' })
  await shardHolding(bob).prepare('delete from accounts where id = ?').bind(Number(bob)).run()
  await destroyKeys(queues.context(), [bob])
  const facts = {
    kind: 'pair',
    name: null,
    memberCount: 2,
    lastEvent: null,
    otherId: ada,
    state: 'active',
    ended: false,
    lastSeq: 2,
    shownSeq: 2,
    shownKind: 'text',
  } as const
  const rest = { lastAt: 1, lastAuthorId: ada, readSeq: 0, unread: 2, mutedUntil: 0, revision: 1, preview: 'hello' }
  const late: InboxCopy = {
    ...facts,
    ...rest,
    accountId: bob,
    conversationId: id,
    version: 9e15,
    told: '0',
    changedSeq: null,
    news: null,
  }
  await deliverInboxes(ctx, [late])
  expect(await env.KEYS.get(`accounts/${bob}`)).toBeNull()
  expect(await count(`select count(*) n from conversations where version = 9e15`)).toBe(0)
})

test('the copies of an object that was restored from a backup replace newer ones', async () => {
  const id = await friends()
  for (const text of ['one', 'two', 'three']) await say(ada, id, text)
  await delivered(id)
  await runInDurableObject(conversationObject(id), (_, { storage }) => {
    storage.sql.exec('DELETE FROM messages WHERE seq > 1')
    storage.sql.exec('UPDATE conversation SET last_seq = 1, version = 1')
  })
  const sent = await say(ada, id, 'again')
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ unread: 2, lastMessage: { seq: 2, preview: 'again' } })
  expect((await inboxOf(bob))[0]?.revision).toBe(sent.revision)
})

test('a response waits at most two seconds for inbox updates, and the alarm repeats an update that timed out', async () => {
  const id = await friends()
  await say(ada, id, 'one')
  await delivered(id)
  const limits: unknown[] = []
  const wait = setTimeout
  const LIMITS = [2_000, 15_000]
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((run, ms, ...args) => {
    if (!LIMITS.includes(ms ?? 0)) return wait(run, ms, ...args)
    limits.push(ms)
    return wait(run, 0, ...args)
  })
  vi.spyOn(crypto.subtle, 'encrypt').mockImplementation(() => new Promise(() => {}))
  await markConversationRead(asUser(bob), { conversationId: id, seq: 1 })
  expect(new Set(limits)).toEqual(new Set(LIMITS))
  vi.restoreAllMocks()
  expect((await inboxOf(bob))[0]?.unread).toBe(1)
  // An alarm that runs while the update times out waits for it, and fails with it.
  await until(async () => {
    await runDurableObjectAlarm(conversationObject(id))
    return (await inboxOf(bob))[0]?.unread === 0
  })
})
