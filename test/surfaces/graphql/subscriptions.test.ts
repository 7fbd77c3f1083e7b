import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { registeredUser } from '../../support/actors.ts'
import { fetchWith, randomAddress } from '../../support/client.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { ada, bob } from '../../support/trio.ts'
import { asModerator, asUser } from '../../support/viewers.ts'

beforeAll(trustTestKey)

type Event = { data?: Record<string, Record<string, unknown>>; errors?: { extensions: { code: string } }[] }

/** Reads a stream of server-sent events. `next` returns null at its end. */
async function subscribe(query: string, token: string | null) {
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'text/event-stream',
    'cf-connecting-ip': randomAddress(),
  })
  if (token) headers.set('authorization', `Bearer ${token}`)
  const response = await fetchWith(env, '/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  async function next(): Promise<Event | null> {
    for (;;) {
      const found = /event: (\w+)\ndata: ?(.*)\n\n/.exec(text)
      if (found) {
        text = text.slice(found.index + found[0].length)
        return found[1] === 'next' ? JSON.parse(found[2]!) : null
      }
      const { value, done } = await reader.read()
      if (done) return null
      text += value
    }
  }
  return { status: response.status, next, close: () => reader.cancel() }
}

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
  await env.HUB.getByName(bob).publish({
    channel: 'home',
    key: 'late',
    event: 'post.published',
    data: { postId, authorId: ada },
  })
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
  const user = await registeredUser()
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
  const stream = await subscribe(HOME, await mint(bob, { age: 599 }))
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
  expect((await (await subscribe(HOME, token)).next())?.errors?.[0]?.extensions.code).toBe('rate_limited')
  for (const stream of streams) await stream.close()
})

test.each([
  ['no token', 'unauthorized', async () => null],
  ['a token without the scope', 'insufficient_scope', () => mint(bob, { without: 'realtime' })],
])('a subscription with %s is refused with %s', async (_, code, token) => {
  const stream = await subscribe(NOTIFICATIONS, await token())
  expect((await stream.next())?.errors?.[0]?.extensions.code).toBe(code)
})
