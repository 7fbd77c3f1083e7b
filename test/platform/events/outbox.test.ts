import { createExecutionContext, createMessageBatch } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import worker from '../../../src/worker.ts'
import { count, shards } from '../../support/databases.ts'
import { authors, breakQueue, deliver, indexedOn, isolateEvents, notificationsOf, sweep } from '../../support/events.ts'
import { draft } from '../../support/posting.ts'
import { until } from '../../support/until.ts'

isolateEvents()

test('writes succeed while the queue is down, and a sweep delivers their events once the queue is back', async () => {
  const lost = breakQueue()
  await followAccount(authors.bob.ctx, { accountId: authors.ada.id })
  const posts = []
  for (let n = 0; n < 5; n++) posts.push((await createPost(authors.ada.ctx, draft({ text: `number ${n}` }))).value)
  await Promise.all(posts.map((post) => likePost(authors.bob.ctx, { postId: post.id })))
  await until(() => lost.length === 11)
  expect(await notificationsOf(authors.ada)).toBe(0)
  expect(await indexedOn(1, authors.ada)).toBe(0)

  vi.restoreAllMocks()
  await sweep()
  expect(await notificationsOf(authors.ada)).toBe(6)
  expect(await indexedOn(1, authors.ada)).toBe(5)
})

test('events that are delivered ten times each in random order take effect once', async () => {
  const events = breakQueue()
  await followAccount(authors.bob.ctx, { accountId: authors.ada.id })
  const { value: post } = await createPost(authors.ada.ctx, draft({ text: 'once' }))
  await createPost(authors.bob.ctx, draft({ text: 'a comment', parentId: post.id }))
  await likePost(authors.bob.ctx, { postId: post.id })
  await until(() => events.length === 4)
  const tenfold = Array.from({ length: 10 }, () => events).flat()
  const shuffled = tenfold.map((event) => ({ event, at: Math.random() })).sort((a, b) => a.at - b.at)
  await deliver(shuffled.map(({ event }) => event))

  expect(await notificationsOf(authors.ada)).toBe(3)
  expect(await count('select count(*) n from outbox')).toBe(0)
  expect(await count(`select comment_count n from posts where id = ${Number(post.id)}`, [shards[0]])).toBe(1)
  expect(await count(`select like_count n from posts where id = ${Number(post.id)}`, [shards[0]])).toBe(1)
  expect(await count(`select follower_count n from accounts where id = ${Number(authors.ada.id)}`, [shards[0]])).toBe(1)
  expect(await indexedOn(1, authors.ada)).toBe(1)
})

test('only the unprocessable message of a batch is retried, and the other messages take effect', async () => {
  const events = breakQueue()
  for (let n = 0; n < 9; n++) await createPost(authors.ada.ctx, draft({ text: `good ${n}` }))
  await until(() => events.length === 9)
  const poison = { ...events[0]!, data: { nonsense: true } }
  const bodies = [...events.slice(1), poison]
  expect(await deliver(bodies)).toEqual(['m8'])
  expect(await indexedOn(1, authors.ada)).toBe(8)
  vi.restoreAllMocks()
  await shards[0].prepare('update outbox set retry_at = 0').run()
  await deliver([events[0]!])
  expect(await indexedOn(1, authors.ada)).toBe(9)
})

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

test('a duplicate of an acknowledged event runs no subscription', async () => {
  const events = breakQueue()
  await createPost(authors.ada.ctx, draft({ text: 'once' }))
  await until(() => events.length === 1)
  await deliver(events)
  await shards[1].prepare('delete from feed_index where author_id = ?').bind(Number(authors.ada.id)).run()
  expect(await deliver(events)).toEqual([])
  expect(await indexedOn(1, authors.ada)).toBe(0)
})

test('malformed messages and unknown events are retried, and the known event of the batch takes effect', async () => {
  const events = breakQueue()
  await createPost(authors.ada.ctx, draft({ text: 'known' }))
  await until(() => events.length === 1)
  await env.SHARD_0.prepare("insert into outbox (id, type, data) values (1, 'post.framed', '{}')").run()
  const unknown = { version: 1, source: '0', id: '1', type: 'post.framed', data: {}, trace: {} }
  expect(await deliver([{ nonsense: true }, events[0], unknown, null])).toEqual(['m0', 'm2', 'm3'])
  expect(await indexedOn(1, authors.ada)).toBe(1)
  expect(await count('select count(*) n from outbox')).toBe(1)
  await env.SHARD_0.prepare('delete from outbox').run()
})

test('an event of a failing database is retried, and the events of other databases take effect', async () => {
  const events = breakQueue()
  await createPost(authors.ada.ctx, draft({ text: 'on shard 0' }))
  await createPost(authors.bob.ctx, draft({ text: 'on shard 1' }))
  await until(() => events.length === 2)
  const prepare = () => {
    throw new Error('down')
  }
  const broken = { withSession: () => ({ prepare, getBookmark: () => null }) }
  const bySource = Map.groupBy(events, (event) => event.source)
  const bodies = [bySource.get('0')![0]!, { ...bySource.get('1')![0]!, source: 'd' }]
  expect(await deliver(bodies, { ...env, DIRECTORY: broken as unknown as D1Database })).toEqual(['m1'])
  expect(await indexedOn(1, authors.ada)).toBe(1)
  vi.restoreAllMocks()
  await sweep()
})
