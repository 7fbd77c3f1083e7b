import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Committed } from '../../../src/platform/events/events.ts'
import { replayMarked } from '../../../src/platform/events/outbox.ts'
import type { Sweeper } from '../../../src/platform/events/sweeper.object.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import worker from '../../../src/worker.ts'
import { type Account, account } from '../../support/actors.ts'
import { count, shards } from '../../support/databases.ts'
import { drained } from '../../support/outboxes.ts'
import { draft } from '../../support/posting.ts'

let ada: Account
let bob: Account
let run = 0

beforeEach(async () => {
  run += 1
  ada = await account(`ada_${run}`, 0)
  bob = await account(`bob_${run}`, 1)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const notificationsOf = (who: Account) =>
  count(`select count(*) n from notifications where account_id = ${Number(who.id)}`)
const indexedOn = (shard: number, author: Account) =>
  count(`select count(*) n from feed_index where lane = 0 and author_id = ${Number(author.id)}`, [shards[shard]!])

/** The queue takes nothing; answers what was sent in vain. */
function breakQueue(): Committed[] {
  const lost: Committed[] = []
  vi.spyOn(env.EVENTS, 'sendBatch').mockImplementation(async (messages) => {
    lost.push(...[...messages].map((message) => message.body as Committed))
    throw new Error('the queue is down')
  })
  return lost
}

/** Runs the sweepers' alarms until the outboxes are empty. */
async function sweep(): Promise<void> {
  await vi.waitUntil(
    async () => {
      for (const source of ['0', '1']) {
        const sweeper = env.SWEEPER.getByName(source)
        await sweeper.arm(source)
        await runDurableObjectAlarm(sweeper)
      }
      return (await count('select count(*) n from outbox')) === 0
    },
    { timeout: 25_000, interval: 200 },
  )
}

async function deliverEach(events: Committed[]): Promise<void> {
  const messages = events.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }))
  await worker.queue(createMessageBatch('socialconnect-events', messages) as never, env, createExecutionContext())
}

test('with the queue down every write is acknowledged, and all of its effects come once the queue is back', async () => {
  const lost = breakQueue()
  await followAccount(bob.ctx, { accountId: ada.id })
  const posts = []
  for (let n = 0; n < 5; n++) posts.push((await createPost(ada.ctx, draft({ text: `number ${n}` }))).value)
  await Promise.all(posts.map((post) => likePost(bob.ctx, { postId: post.id })))
  await vi.waitUntil(() => lost.length === 11)
  expect(await notificationsOf(ada)).toBe(0)
  expect(await indexedOn(1, ada)).toBe(0)

  vi.restoreAllMocks()
  await sweep()
  expect(await notificationsOf(ada)).toBe(6)
  expect(await indexedOn(1, ada)).toBe(5)
})

test('a write wakes the sweeper of its database', async () => {
  breakQueue()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 }) // it is woken once in five seconds
  const sweeper = env.SWEEPER.getByName('0')
  const due = () => runInDurableObject(sweeper, (_, state) => state.storage.getAlarm())
  await runInDurableObject(sweeper, (_, state) => state.storage.deleteAlarm())
  await createPost(ada.ctx, draft({ text: 'nobody hears' }))
  await vi.waitUntil(async () => (await due()) !== null)
  vi.restoreAllMocks()
  vi.useRealTimers()
  await sweep()
})

test('what nobody acknowledges is sent again at distances that grow to 45 seconds, and what is new at the next pass', async () => {
  const lost = breakQueue()
  await createPost(ada.ctx, draft({ text: 'first' }))
  await vi.waitUntil(() => lost.length === 1)
  const sweeper = env.SWEEPER.getByName('0')
  const sent: string[] = []
  const sendBatch = async (messages: Iterable<MessageSendRequest>) => {
    for (const { body } of messages) sent.push((body as Committed).id)
  }
  const giveEnv = (bindings: object) =>
    runInDurableObject(sweeper, (instance) => void Object.assign(instance, { env: bindings }))
  onTestFinished(() => giveEnv(env))
  await giveEnv({ ...env, EVENTS: { sendBatch } })
  await runInDurableObject(sweeper, (_, state) => state.storage.deleteAll())
  await sweeper.arm('0')
  const from = Date.now()
  vi.useFakeTimers({ toFake: ['Date'] })
  const passAt = async (second: number) => {
    vi.setSystemTime(from + second * 1_000)
    await runDurableObjectAlarm(sweeper)
    return sent.splice(0)
  }
  expect(await passAt(1)).toEqual([]) // it is on its way
  const due: number[] = []
  for (let second = 6; second <= 300; second += 6) if ((await passAt(second)).length > 0) due.push(second)
  expect(due).toEqual([6, 18, 42, 84, 132, 180, 228, 276])

  await createPost(ada.ctx, draft({ text: 'second' }))
  await vi.waitUntil(() => lost.length === 2)
  expect(await passAt(306)).toEqual([lost[1]!.id])
  expect(await passAt(312)).toEqual([])

  await deliverEach(lost)
  await passAt(360) // long after it was last woken
  expect(await runInDurableObject(sweeper, (_, state) => state.storage.getAlarm())).toBeNull()
})

test('every message delivered ten times and shuffled has its effect once', async () => {
  const events = breakQueue()
  await followAccount(bob.ctx, { accountId: ada.id })
  const { value: post } = await createPost(ada.ctx, draft({ text: 'once' }))
  await createPost(bob.ctx, draft({ text: 'a comment', parentId: post.id }))
  await likePost(bob.ctx, { postId: post.id })
  await vi.waitUntil(() => events.length === 4)
  const tenfold = Array.from({ length: 10 }, () => events).flat()
  const shuffled = tenfold.map((event) => ({ event, at: Math.random() })).sort((a, b) => a.at - b.at)
  await deliverEach(shuffled.map(({ event }) => event))

  expect(await notificationsOf(ada)).toBe(3)
  expect(await count('select count(*) n from outbox')).toBe(0)
  expect(await count(`select comment_count n from posts where id = ${Number(post.id)}`, [shards[0]!])).toBe(1)
  expect(await count(`select like_count n from posts where id = ${Number(post.id)}`, [shards[0]!])).toBe(1)
  expect(await count(`select follower_count n from accounts where id = ${Number(ada.id)}`, [shards[0]!])).toBe(1)
  expect(await indexedOn(1, ada)).toBe(1)
})

test('a message that cannot be worked off is retried alone; the others of its batch are done', async () => {
  const events = breakQueue()
  for (let n = 0; n < 9; n++) await createPost(ada.ctx, draft({ text: `good ${n}` }))
  await vi.waitUntil(() => events.length === 9)
  const poison = { source: '0', id: events[0]!.id, type: 'post.published', data: { nonsense: true } }
  const bodies = [...events.slice(1), poison]
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }))
  const batch = createMessageBatch('socialconnect-events', messages)
  const ctx = createExecutionContext()
  await worker.queue(batch as never, env, ctx)
  const { retryMessages } = await getQueueResult(batch, ctx)
  expect(retryMessages.map(({ msgId }) => msgId)).toEqual(['m8'])
  expect(await indexedOn(1, ada)).toBe(8)
  vi.restoreAllMocks()
  await deliverEach([events[0]!])
  expect(await indexedOn(1, ada)).toBe(9)
})

/** The ids of the messages that the worker wants again, out of such bodies. */
async function retriedOf(bodies: unknown[], env_ = env): Promise<string[]> {
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }))
  const batch = createMessageBatch('socialconnect-events', messages)
  const ctx = createExecutionContext()
  await worker.queue(batch as never, env_, ctx)
  return (await getQueueResult(batch, ctx)).retryMessages.map(({ msgId }) => msgId)
}

test('each retry of an event waits longer, up to five minutes', async () => {
  const delays: unknown[] = []
  for (const attempts of [1, 2, 3, 9]) {
    const batch = createMessageBatch('socialconnect-events', [
      { id: 'm', timestamp: new Date(), attempts, body: { nonsense: true } },
    ])
    vi.spyOn(batch.messages[0]!, 'retry').mockImplementation((options) => void delays.push(options?.delaySeconds))
    await worker.queue(batch as never, env, createExecutionContext())
  }
  expect(delays).toEqual([2, 4, 8, 300])
})

test('a copy of an event that was acknowledged costs no more than to see that', async () => {
  const events = breakQueue()
  await createPost(ada.ctx, draft({ text: 'once' }))
  await vi.waitUntil(() => events.length === 1)
  await deliverEach(events)
  await shards[1]!.prepare('delete from feed_index where author_id = ?').bind(Number(ada.id)).run()
  expect(await retriedOf(events)).toEqual([])
  expect(await indexedOn(1, ada)).toBe(0)
})

test('what is no event, and events that this version does not know, are retried alone; the others are done', async () => {
  const events = breakQueue()
  await createPost(ada.ctx, draft({ text: 'known' }))
  await vi.waitUntil(() => events.length === 1)
  await env.SHARD_0.prepare("insert into outbox values (1, 'post.framed', '{}')").run()
  const unknown = { source: '0', id: '1', type: 'post.framed', data: {} }
  expect(await retriedOf([{ nonsense: true }, events[0], unknown, null])).toEqual(['m0', 'm2', 'm3'])
  expect(await indexedOn(1, ada)).toBe(1)
  expect(await count('select count(*) n from outbox')).toBe(1)
  await env.SHARD_0.prepare('delete from outbox').run()
})

test('a database that does not answer keeps no events of the others waiting', async () => {
  const events = breakQueue()
  await createPost(ada.ctx, draft({ text: 'on shard 0' }))
  await createPost(bob.ctx, draft({ text: 'on shard 1' }))
  await vi.waitUntil(() => events.length === 2)
  const prepare = () => {
    throw new Error('down')
  }
  const broken = { withSession: () => ({ prepare, getBookmark: () => null }) }
  const bySource = Map.groupBy(events, (event) => event.source)
  const bodies = [bySource.get('0')![0]!, { ...bySource.get('1')![0]!, source: 'd' }]
  expect(await retriedOf(bodies, { ...env, DIRECTORY: broken as unknown as D1Database })).toEqual(['m1'])
  expect(await indexedOn(1, ada)).toBe(1)
  vi.restoreAllMocks()
  await sweep()
})

test('one subscriber that fails keeps no other from its work, and the event is retried for it', async () => {
  const events = breakQueue()
  const { value: post } = await createPost(ada.ctx, draft({ text: 'liked' }))
  await createPost(bob.ctx, draft({ text: 'a comment', parentId: post.id }))
  await vi.waitUntil(() => events.length === 2)
  await env.SHARD_0.prepare('insert into presence values (?)').bind(Number(ada.id)).run()
  const FANOUT = { sendBatch: () => Promise.reject(new Error('down')) }
  const HUB = { getByName: () => ({ publish: () => Promise.reject(new Error('down')) }) }
  const hurt = { ...env, FANOUT, HUB } as unknown as typeof env
  expect(await retriedOf(events, hurt)).toEqual(['m0', 'm1'])
  expect([await indexedOn(1, ada), await notificationsOf(ada)]).toEqual([1, 1])
  vi.restoreAllMocks()
  await sweep()
  expect(await notificationsOf(ada)).toBe(1)
})

test('a sweep that is cut off goes on where it stopped, and a sweeper that was woken lately stays awake', async () => {
  breakQueue()
  const rows = Array.from({ length: 250 }, (_, i) => `(${i + 1}, 'post.framed', '{}')`)
  await env.SHARD_0.prepare(`insert into outbox values ${rows}`).run()
  const sent: number[] = []
  let broken = true
  const sendBatch = async (messages: Iterable<MessageSendRequest>) => {
    const ids = [...messages].map(({ body }) => Number((body as Committed).id))
    if (broken && ids[0] === 201) throw new Error('the queue is down')
    sent.push(...ids)
  }
  const sweeper = env.SWEEPER.getByName('0')
  await runInDurableObject(sweeper, async (instance, state) => {
    await state.storage.deleteAll()
    Object.assign(instance, { env: { ...env, EVENTS: { sendBatch } } })
  })
  onTestFinished(() => runInDurableObject(sweeper, (instance) => void Object.assign(instance, { env })))
  await sweeper.arm('0')
  const pass = () => runInDurableObject(sweeper, (instance) => (instance as Sweeper).alarm())
  await expect(pass()).rejects.toThrow()
  expect(sent).toHaveLength(200)
  broken = false
  await pass()
  expect(sent).toEqual(Array.from({ length: 250 }, (_, i) => i + 1))
  await env.SHARD_0.prepare('delete from outbox').run()
  await pass()
  expect(await runInDurableObject(sweeper, (_, state) => state.storage.getAlarm())).not.toBeNull()
})

test('a dead letter is kept, leaves the outbox, and has its effect when it is replayed', async () => {
  const events = breakQueue()
  await createPost(ada.ctx, draft({ text: 'put aside' }))
  await vi.waitUntil(() => events.length === 1)
  const messages = [{ id: `dead-${run}`, timestamp: new Date(), attempts: 6, body: events[0] }]
  const dead = createMessageBatch('socialconnect-events-dead', messages)
  await worker.queue(dead as never, env, createExecutionContext())
  await worker.queue(dead as never, env, createExecutionContext())
  expect(await count('select count(*) n from outbox')).toBe(0)
  expect(await count('select count(*) n from dead_letters')).toBe(1)

  vi.restoreAllMocks()
  await env.SHARD_0.prepare('update dead_letters set replay = 1').run()
  await sweep()
  expect(await count('select count(*) n from dead_letters')).toBe(0)
  await drained()
  expect(await indexedOn(1, ada)).toBe(1)
})

test('a dead letter that cannot be kept is retried alone; the others are kept', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const bodies = [
    { source: '63', id: '1', type: 'post.framed', data: {} },
    { source: '0', id: '2', type: 'post.framed', data: {} },
  ]
  const messages = bodies.map((body, i) => ({ id: `kept-${i}`, timestamp: new Date(), attempts: 1, body }))
  const dead = createMessageBatch('socialconnect-events-dead', messages)
  const ctx = createExecutionContext()
  await worker.queue(dead as never, env, ctx)
  const { retryMessages, explicitAcks } = await getQueueResult(dead, ctx)
  expect([retryMessages.map(({ msgId }) => msgId), explicitAcks]).toEqual([['kept-0'], ['kept-1']])
  expect(await count("select count(*) n from dead_letters where id like 'kept-%'")).toBe(1)
})

test('a task that was put aside goes back into its own queue, once', async () => {
  const sent: unknown[][] = []
  const queue = (name: string) => ({ send: async (body: unknown) => void sent.push([name, body]) })
  for (const name of ['fanout', 'deliveries']) {
    const messages = [{ id: `dead-${name}`, timestamp: new Date(), attempts: 6, body: { type: name, data: {} } }]
    const dead = createMessageBatch(`socialconnect-${name}-dead`, messages)
    await worker.queue(dead as never, env, createExecutionContext())
  }
  const ctx = { ...ada.ctx, env: { ...env, FANOUT: queue('fanout'), DELIVERIES: queue('deliveries') } as never }
  await replayMarked(ctx, ctx.db.shard(0))
  expect(sent).toEqual([])
  await env.SHARD_0.prepare('update dead_letters set replay = 1').run()
  for (let n = 0; n < 2; n++) await replayMarked(ctx, ctx.db.shard(0))
  expect(sent.sort()).toEqual(['deliveries', 'fanout'].map((name) => [name, { type: name, data: {} }]))
})
