import { beforeAll, expect, test } from 'vitest'
import { ACCESS_TOKEN_LIFE_MS } from '../../../src/platform/security/tokens.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { bulkIds, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { codes, graphql } from '../../support/graphql.ts'
import { publishTo } from '../../support/hubs.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { subscribe } from '../../support/server-events.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { ada, bob } from '../../support/trio.ts'
import { asModerator, asUser } from '../../support/viewers.ts'

let user: RegisteredUser
beforeAll(async () => {
  await trustTestKey()
  user = await registeredUser() // before the isolate reads the keys, because this creates one
})

const HOME =
  'subscription { home { __typename ... on Hello { resumed } ... on PostPublishedFrame { postId post { text author { handle } } } } }'
const NOTIFICATIONS = 'subscription { notifications { __typename ... on NotificationFrame { kind } } }'

test('a subscription to home sends each new post of followed accounts, as far as the viewer may see it', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  const stream = await subscribe(HOME, await mint(bob))
  expect((await stream.next())?.data).toEqual({ home: { __typename: 'Hello', resumed: false } })
  const postId = await publishedId(ada, { text: 'news' })
  await queues.deliver()
  expect((await stream.next())?.data?.home).toMatchObject({
    __typename: 'PostPublishedFrame',
    postId,
    post: { text: 'news' },
  })
  await stream.close()
})

test('a frame names a post that became hidden meanwhile, but does not contain it', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  const stream = await subscribe(HOME, await mint(bob))
  await stream.next()
  const postId = await publishedId(ada, { visibility: 'followers' })
  await blockAccount(asUser(ada), { accountId: bob })
  await publishTo(bob, { channel: 'home', event: 'post.published', data: { postId, authorId: ada } })
  expect((await stream.next())?.data?.home).toEqual({ __typename: 'PostPublishedFrame', postId, post: null })
  await stream.close()
})

test('a subscription to notifications sends each new notification', async () => {
  const stream = await subscribe(NOTIFICATIONS, await mint(ada))
  await stream.next()
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  expect((await stream.next())?.data?.notifications).toEqual({ __typename: 'NotificationFrame', kind: 'FOLLOW' })
  await stream.close()
})

test('a subscription ends when its login ends', async () => {
  const stream = await subscribe(HOME, user.token)
  expect((await stream.next())?.data?.home?.__typename).toBe('Hello')
  await user.fetch('/v1/auth/logout', { method: 'POST' })
  await queues.deliver()
  expect(await stream.next()).toBeNull()
})

test('a subscription ends when its account is suspended', async () => {
  const stream = await subscribe(HOME, await mint(bob))
  await stream.next()
  await suspendAccount(asModerator(ada), { accountId: bob })
  await queues.deliver()
  expect(await stream.next()).toBeNull()
})

test('a subscription ends with its access token', async () => {
  const stream = await subscribe(HOME, await mint(bob, { age: ACCESS_TOKEN_LIFE_MS / 1_000 - 1 }))
  await stream.next()
  expect(await stream.next()).toBeNull()
})

test('an account has at most sixteen subscriptions and sockets', async () => {
  const token = await mint(bob)
  const streams = []
  for (let n = 0; n < 16; n++) {
    const stream = await subscribe(HOME, token)
    await stream.next()
    streams.push(stream)
  }
  expect((await (await subscribe(HOME, token)).next())?.code).toBe('rate_limited')
  for (const stream of streams) await stream.close()
})

test.each([
  ['no token', 'unauthorized', async () => null],
  ['a token without the scope', 'insufficient_scope', () => mint(bob, { without: 'realtime' })],
])('a subscription with %s is refused with %s', async (_, code, token) => {
  const stream = await subscribe(NOTIFICATIONS, await token())
  expect((await stream.next())?.code).toBe(code)
})

test('a subscription without a stream is refused, and holds no socket', async () => {
  const token = await mint(bob)
  const headers = { accept: 'application/json' }
  for (let n = 0; n < 20; n++) expect(codes(await graphql(HOME, { token, headers }))).toEqual({ '': 'bad_request' })
  const stream = await subscribe(HOME, token)
  expect((await stream.next())?.code).toBe(null)
  await stream.close()
})

test('above the limit of frames, a stream ends without a gap, so that the client can resume it', async () => {
  const [id] = await bulkIds(1)
  const stream = await subscribe('subscription { home { ... on PostPublishedFrame { seq } } }', await mint(id!))
  await stream.next()
  const data = { postId: '512', authorId: ada }
  for (let n = 0; n < 305; n++) {
    await publishTo(id!, { channel: 'home', event: 'post.published', data })
  }
  const frames = []
  for (let event = await stream.next(); event !== null; event = await stream.next()) frames.push(event)
  expect(frames.filter(({ code, data }) => code !== null || typeof data?.home?.seq !== 'number')).toEqual([])
  expect(frames).toHaveLength(300)
})

test('frames use up no requests of the account', async () => {
  const token = await mint(bob)
  const stream = await subscribe(HOME, token)
  await stream.next()
  for (let n = 0; n < 30; n++) {
    const data = { postId: '512', authorId: ada }
    await publishTo(bob, { channel: 'home', event: 'post.published', data })
    await stream.next()
  }
  const { headers } = await graphql('{ me { id } }', { token, bindings: { REQUESTS_PER_MINUTE: '100' } })
  expect(headers.get('ratelimit')).toMatch(/r=98;/)
  await stream.close()
})
