import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { UserCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { createPost, deletePost, getPost, type PostCreation } from '../../../src/services/posts/posts.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { draft } from '../../support/posting.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { asUser, failure } from '../../support/viewers.ts'

const DAY_MS = 86_400_000
const QUOTA = 5

let ada: Id
let clock: ReturnType<typeof movableClock>
beforeAll(trustTestKey)
beforeEach(async () => {
  await queues.deliver()
  ;[ada] = await accountsOn(0)
  clock = movableClock()
  clock.advance(DAY_MS - (Date.now() % DAY_MS) + 60_000) // a minute after midnight
})
afterEach(() => void vi.unstubAllGlobals())

function limited(more: Partial<UserCtx> = {}): UserCtx {
  const ctx = asUser(ada)
  return { ...ctx, env: Object.assign({ ...ctx.env }, { POSTS_PER_DAY: String(QUOTA) }), ...more }
}
const post = async (input: Partial<PostCreation> = {}, ctx = limited()) =>
  (await createPost(ctx, draft({ text: 'hello', ...input }))).value
const exceeded = expect.objectContaining({ code: 'quota_exceeded' })

test('of many concurrent posts exactly the daily quota is stored, and the others leave no trace', async () => {
  const results = await Promise.allSettled(Array.from({ length: 3 * QUOTA }, () => post()))
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused.map(({ reason }) => reason)).toEqual(Array(2 * QUOTA).fill(exceeded))
  expect(await countRows('posts', { author_id: ada })).toBe(QUOTA)
  // A public post has two rows on its shard.
  expect(await countRows('feed_index', { author_id: ada })).toBe(2 * QUOTA)
  expect(await pendingEvents()).toBe(QUOTA)
})

test('comments count too, deleting frees nothing, and the quota is renewed at 00:00 UTC', async () => {
  const root = await post()
  for (let i = 1; i < QUOTA; i++) await post({ parentId: root.id })
  await deletePost(limited(), { postId: root.id })
  await expect(post()).rejects.toEqual(exceeded)
  clock.advance(DAY_MS - 120_000)
  await expect(post()).rejects.toEqual(exceeded)
  clock.advance(120_000)
  await post()
})

test('an edit that mentions somebody new counts as a post, and no other edit does', async () => {
  const [bob, cyd] = await accountsOn(0, 1)
  const { id: postId } = await post()
  const edit = (text: string) => editPost(limited(), { postId, text })
  for (const text of ['one', 'two', `@${handleOf(ada)}`, 'three', 'four', 'five']) await edit(text)
  for (let i = 2; i < QUOTA; i++) await post()
  await edit(`@${handleOf(bob)}`)
  await edit(`${handleOf(bob)}`)
  await expect(edit(`@${handleOf(cyd)}`)).rejects.toEqual(exceeded)
  expect(await getPost(limited(), { postId })).toMatchObject({ text: handleOf(bob), entities: [] })
})

test('a clock that runs behind cannot renew the quota', async () => {
  for (let i = 0; i < QUOTA; i++) await post()
  clock.advance(-DAY_MS)
  await expect(post()).rejects.toEqual(exceeded)
  clock.advance(DAY_MS)
  await expect(post()).rejects.toEqual(exceeded)
})

test('repeating a request with its Idempotency-Key returns its post even when the quota is used up', async () => {
  const first = await post({}, limited({ idempotencyKey: 'once' }))
  for (let i = 1; i < QUOTA; i++) await post()
  expect((await post({}, limited({ idempotencyKey: 'once' }))).id).toBe(first.id)
  await expect(post({}, limited({ idempotencyKey: 'another' }))).rejects.toEqual(exceeded)
})

test('a suspended author with a used-up quota gets the failure `suspended`', async () => {
  for (let i = 0; i < QUOTA; i++) await post()
  await env.SHARD_0.prepare('update accounts set suspended_at = 1 where id = ?').bind(Number(ada)).run()
  await expect(post()).rejects.toEqual(failure('suspended'))
})

test('a 429 response names the exceeded quota, and says when the next day begins', async () => {
  clock.stop()
  const headers = { authorization: `Bearer ${await mint(ada)}`, 'content-type': 'application/json' }
  const send = () =>
    fetchWith({ ...env, POSTS_PER_DAY: '1' }, '/v1/posts', { method: 'POST', headers, body: '{"text":"hello"}' })
  expect((await send()).status).toBe(201)
  const refused = await send()
  expect([refused.status, await refused.json()]).toMatchObject([
    429,
    { code: 'quota_exceeded', detail: expect.stringContaining('at most 1 posts and comments a day') },
  ])
  const seconds = Math.ceil((DAY_MS - (Date.now() % DAY_MS)) / 1_000)
  expect(refused.headers.get('retry-after')).toBe(String(seconds))
  expect(refused.headers.get('ratelimit-policy')).toBe('"posts";q=1;w=86400')
})
