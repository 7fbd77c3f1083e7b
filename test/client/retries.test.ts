import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { registeredUser } from '../support/actors.ts'
import { appClient, clientOf, requestsTo } from '../support/api-client.ts'
import { BASE_URL, fetchWith } from '../support/client.ts'
import { withLaggingReplicas } from '../support/replica-lag.ts'

const failing = (status: number, headers: Record<string, string> = {}) =>
  appClient({ credential: 'unused-by-this-server', fetch: async () => new Response('{}', { status, headers }) })

test('a post whose first answers are lost is created once, with one idempotency key', async () => {
  const user = await registeredUser()
  const app = clientOf(user)
  let losses = 2
  app.answer(async ({ path }, forward) => {
    const response = await forward()
    if (path === '/v1/posts' && losses-- > 0) throw new TypeError('connection reset')
    return response
  })
  const post = await app.client.createPost({ text: 'Said once' })
  const keys = requestsTo(app, '/v1/posts').map(({ headers }) => headers.get('idempotency-key'))
  expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0], keys[0]])
  const { items } = await app.client.getAccountFeed({ accountId: user.id })
  expect(items.map(({ id }) => id)).toEqual([post.id])
  const other = await app.client.createPost({ text: 'Said once' })
  expect(other.id).not.toBe(post.id)
  const again = await app.client.createPost({ text: 'Said once' }, { idempotencyKey: keys[0]! })
  expect(again.id).toBe(post.id)
})

test('safe and idempotent requests are repeated three times, others never', async () => {
  const { client, sent } = failing(503)
  await expect(client.getLimits()).rejects.toMatchObject({ status: 503 })
  await expect(client.likePost({ postId: '1' })).rejects.toMatchObject({ status: 503 })
  await expect(client.createPost({ text: 'a' })).rejects.toMatchObject({ status: 503 })
  await expect(client.editProfile({ bio: 'a' })).rejects.toMatchObject({ status: 503 })
  await expect(client.createInvitation()).rejects.toMatchObject({ status: 503 })
  await expect(client.getLimits({}, { retries: 0 })).rejects.toMatchObject({ status: 503 })
  expect(sent.map(({ method }) => method).join(' ')).toBe(
    'GET GET GET GET PUT PUT PUT PUT POST POST POST POST PATCH POST GET',
  )
})

test('the waits double, are random, and are never shorter than Retry-After', async () => {
  const waitsWith = async (random: number, headers = {}) => {
    const waits: number[] = []
    const { client } = appClient({
      random: () => random,
      sleep: async (ms) => void waits.push(ms),
      fetch: async () => new Response('{}', { status: 503, headers }),
    })
    await client.getLimits().catch(() => {})
    return waits
  }
  expect(await waitsWith(0)).toEqual([0, 0, 0])
  expect(await waitsWith(1)).toEqual([500, 1_000, 2_000])
  expect(await waitsWith(0.5, { 'retry-after': '7' })).toEqual([7_250, 7_500, 8_000])
})

test('a 429 is repeated after its Retry-After, unless that is longer than the client may wait', async () => {
  const { client, sent, waits } = failing(429, { 'retry-after': '60' })
  await expect(client.getLimits()).rejects.toMatchObject({ status: 429, retryAfter: 60 })
  expect(waits).toEqual([60_000, 60_000, 60_000])
  expect(sent.length).toBe(4)
  const patient = failing(429, { 'retry-after': '61' })
  await expect(patient.client.getLimits()).rejects.toMatchObject({ retryAfter: 61 })
  expect(patient.sent.length).toBe(1)
  const forbidden = failing(403)
  await expect(forbidden.client.getLimits()).rejects.toMatchObject({ status: 403 })
  expect(forbidden.sent.length).toBe(1)
})

test('bookmarks make reads see the own writes, also in a client that goes on with them', async () => {
  const { token, id } = await registeredUser()
  const lagging = withLaggingReplicas(env)
  const fetch = (url: string, init: RequestInit) => fetchWith(lagging, url.slice(BASE_URL.length), init)
  const writer = appClient({ credential: token, fetch }).client
  const { id: postId } = await writer.createPost({ text: 'Can you read this?' })
  expect((await writer.getPost({ postId })).author.id).toBe(id)
  const heir = appClient({ credential: token, fetch, bookmarks: writer.bookmarks() }).client
  expect((await heir.getPost({ postId })).id).toBe(postId)
  const stranger = appClient({ credential: token, fetch }).client
  await expect(stranger.getPost({ postId })).rejects.toMatchObject({ status: 404 })
})

test('a bookmark of an older response, which arrives late, replaces no newer one', async () => {
  const answers = ['0=00000002-a-b;1=00000005-a-b', '0=00000001-a-b', '0=00000003-a-b']
  const { client } = appClient({
    fetch: async () =>
      new Response('{}', { headers: { 'content-type': 'application/json', 'x-bookmarks': answers.shift()! } }),
  })
  await client.getLimits()
  await client.getLimits()
  expect(client.bookmarks()).toBe('0=00000002-a-b;1=00000005-a-b')
  await client.getLimits()
  expect(client.bookmarks()).toBe('0=00000003-a-b;1=00000005-a-b')
})

test('an idempotency key is refused where the API accepts none, so that nothing is done twice', async () => {
  const { client, sent } = failing(503)
  await expect(client.createInvitation({}, { idempotencyKey: 'a' })).rejects.toThrow(TypeError)
  expect(sent).toEqual([])
})

test('Retry-After may be a date, and one that is neither number nor date is ignored', async () => {
  const retryAfterOf = async (header: string) => {
    const error = await failing(503, { 'retry-after': header })
      .client.getLimits({}, { retries: 0 })
      .catch((e) => e)
    return error.retryAfter
  }
  expect(await retryAfterOf(new Date(Date.now() + 3_600_000).toUTCString())).toBeCloseTo(3_600, -1)
  expect(await retryAfterOf('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(0)
  expect(await retryAfterOf('soon')).toBeUndefined()
})

test('a deletion whose answer was lost succeeds, and one of what never existed fails', async () => {
  const app = clientOf(await registeredUser())
  const { id: postId } = await app.client.createPost({ text: 'a' })
  let losses = 1
  app.answer(async ({ method }, forward) => {
    const response = await forward()
    if (method === 'DELETE' && losses-- > 0) throw new TypeError('connection reset')
    return response
  })
  expect(await app.client.deletePost({ postId })).toBeUndefined()
  await expect(app.client.deletePost({ postId })).rejects.toMatchObject({ code: 'not_found' })
})
