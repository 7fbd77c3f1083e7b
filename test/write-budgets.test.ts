import { expect, test } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import { type Id, shardOf } from '../src/platform/data/ids.ts'
import { likePost, unlikePost } from '../src/services/posts/likes.ts'
import { createPost, deletePost } from '../src/services/posts/posts.ts'
import { forgetSubscribers, withWebhooks } from '../src/services/webhooks/subscribers.ts'
import { accountsOn } from './support/actors.ts'
import { costOf, expectWithin } from './support/budgets.ts'
import { meterDatabases } from './support/d1-meter.ts'
import { countRows, shardHolding, shards } from './support/databases.ts'
import { queues } from './support/manual-queues.ts'
import { pendingEvents } from './support/outboxes.ts'
import { draft, publishedId } from './support/posting.ts'
import { asUser } from './support/viewers.ts'

// Checks the budgets in docs/architecture.md of writes together with what follows them, by events.

const meter = meterDatabases(queues.env)

let activityMessages = 0
const ACTIVITY = {
  sendBatch: async (sent: Iterable<unknown>) => {
    activityMessages += [...sent].length
  },
}
Object.assign(queues.env, { ACTIVITY })

/** Delivers what was sent in an isolate that knows that nobody has a webhook. */
async function deliver(): Promise<void> {
  await withWebhooks(queues.context(), await accountsOn(0, 1))
  activityMessages = 0
  meter.take()
  await queues.deliver()
}

/** The cost of a write and of all that follows. */
async function wholeCost(by: Id, act: (ctx: UserCtx) => Promise<unknown>) {
  await queues.deliver()
  meter.take()
  await act(asUser(by))
  const answer = meter.take()
  await queues.finishDeferred({ run: true })
  const events = queues.sent.length
  await deliver()
  return { answer, after: meter.take(), messages: { events, activity: activityMessages } }
}

test('a like takes one trip, three or five follow, it writes seven rows and those of its event, and notifies the author', async () => {
  for (const [author, actor] of [await accountsOn(0, 1), await accountsOn(1, 1)]) {
    const postId = await publishedId(author)
    const { answer, after, messages } = await wholeCost(actor, (ctx) => likePost(ctx, { postId }))
    expect(await countRows('notifications', { account_id: author, actor_id: actor, post_id: postId })).toBe(1)
    const isNear = shardOf(author) === shardOf(actor) // the list of the account is then written with the like
    expect(answer).toMatchObject({ trips: 1, rowsWritten: isNear ? 4 : 3, outboxRowsWritten: 1 })
    expect(after).toMatchObject({ trips: isNear ? 3 : 5, rowsWritten: isNear ? 5 : 6, outboxRowsWritten: 1 })
    expect([after.rowsRead <= 36, messages]).toEqual([true, { events: 1, activity: 1 }])
    const unlike = await wholeCost(actor, (ctx) => unlikePost(ctx, { postId }))
    expect(unlike.answer).toMatchObject({ trips: 1, rowsWritten: isNear ? 7 : 6, outboxRowsWritten: 1 })
    expect(unlike.after).toMatchObject({ trips: isNear ? 3 : 5, rowsWritten: isNear ? 2 : 3, outboxRowsWritten: 1 })
  }
})

test('what follows a post takes seven round trips and writes four rows', async () => {
  for (const [author] of [await accountsOn(0), await accountsOn(1)]) {
    const publish = (visibility: 'public' | 'followers') =>
      wholeCost(author, (ctx) => createPost(ctx, draft({ text: 'hello', visibility })))
    const open = await publish('public')
    expect(open.answer).toMatchObject({ trips: 1, rowsWritten: 5 })
    expect(open.after).toMatchObject({ trips: 7, rowsWritten: 4, outboxRowsWritten: 1 })
    expect([open.after.rowsRead <= 24, open.messages]).toEqual([true, { events: 1, activity: 1 }])
    expect((await publish('followers')).after).toMatchObject({ trips: 3, rowsWritten: 2 })
  }
})

test('the likes of one batch of events are one message for analytics, and cost no trip for webhooks', async () => {
  const [author, ...actors] = await accountsOn(0, 0, 0, 0, 0, 0)
  const postId = await publishedId(author)
  await queues.deliver()
  for (const actor of actors) await likePost(asUser(actor), { postId })
  await queues.finishDeferred({ run: true })
  await deliver()
  expect([activityMessages, meter.take().trips]).toEqual([1, 2 * actors.length + 1])
})

test('who has webhooks is read at most once for each shard of the people whom a batch concerns', async () => {
  const [author, actor] = await accountsOn(0, 0)
  const postId = await publishedId(author)
  await queues.deliver()
  await likePost(asUser(actor), { postId })
  await queues.finishDeferred({ run: true })
  forgetSubscribers(author)
  meter.take()
  await queues.deliver()
  expect(meter.take().trips).toBeLessThanOrEqual(4)
})

/** Adds likes of accounts that do not exist. */
async function seedManyLikes(postId: Id, many: number): Promise<void> {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})`
  for (const [table, columns] of [
    ['likes', 'account_id, id'],
    ['post_likers', 'id, account_id'],
  ])
    await shardHolding(postId)
      .prepare(`INSERT INTO ${table} (post_id, ${columns}) ${numbers} SELECT ${postId}, i, i FROM n`)
      .run()
}

test('the answer to a deletion costs the same at a thousand and at a hundred thousand likes', async () => {
  for (const many of [1_000, 100_000]) {
    const [author] = await accountsOn(0)
    const postId = await publishedId(author)
    await seedManyLikes(postId, many)
    const cost = await costOf(author, (ctx) => deletePost(ctx, { postId }))
    expectWithin('delete', cost, { trips: 2, rowsRead: 16, rowsWritten: 6, queueMessages: 1, objectCalls: 1 })
    if (many === 1_000) {
      await queues.deliver()
      expect([await countRows('likes', { post_id: postId }), await pendingEvents()]).toEqual([0, 0])
    } else await queues.delayMessages({ run: false })
  }
})

const cleanUps: Record<string, string> = {
  'the likes of a post': 'SELECT id FROM likes WHERE post_id = 1 LIMIT 100',
  'the list of its likes': 'DELETE FROM post_likers WHERE post_id = 1 AND id IN (SELECT value FROM json_each(?))',
  'their notifications': `DELETE FROM notifications
    WHERE account_id = 1 AND id IN (SELECT value FROM json_each(?)) AND kind = 'like'`,
  'what is remembered of withdrawn likes': 'SELECT account_id FROM withdrawn_likes WHERE post_id = 1 LIMIT 1000',
  'withdrawn likes of an account': 'SELECT account_id, post_id FROM withdrawn_likes WHERE account_id = 1 LIMIT 1000',
  'the comments of a post': 'SELECT post_id FROM thread_index WHERE thread_id = 1 LIMIT 100',
  'the likes of an account':
    'SELECT id, post_id FROM liked_posts WHERE account_id = 1 AND id > 2 ORDER BY id LIMIT 100',
  'the followers of an account': 'SELECT id FROM followers WHERE account_id = 1 AND id > 2 ORDER BY id LIMIT 100',
  'the notification of a follow': `DELETE FROM notifications
    WHERE account_id = 1 AND actor_id = 2 AND notifications.kind = 'follow'`,
  'old dead letters': "SELECT id FROM dead_letters WHERE failed_at < 1 AND queue NOT LIKE '%-events' LIMIT 1000",
  'old idempotency keys': 'SELECT account_id FROM idempotency_keys WHERE expires_at < 1 LIMIT 1000',
  'deleted images': 'SELECT id FROM media WHERE post_id = 0 LIMIT 500',
}

test.each(Object.entries(cleanUps))('a step that deletes or marks %s seeks an index', async (_, query) => {
  const explained = shards[0].prepare(`EXPLAIN QUERY PLAN ${query}`)
  const { results } = await (query.includes('?') ? explained.bind('[]') : explained).all<{ detail: string }>()
  const plan = results.map(({ detail }) => detail)
  expect(plan.filter((step) => /^SCAN (?!json_each)|TEMP B-TREE/.test(step))).toEqual([])
  expect(plan.some((step) => step.startsWith('SEARCH'))).toBe(true)
})
