import { env } from 'cloudflare:workers'
import { createECDH, randomBytes } from 'node:crypto'
import { decrypt } from 'http_ece'
import { decodeJwt, importJWK, jwtVerify } from 'jose'
import { beforeEach, expect, test, vi } from 'vitest'
import type { SystemCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import {
  deletePushSubscription,
  listPushSubscriptions,
  PushSubscriptionInput,
  subscribeToPush,
} from '../../../src/services/deliveries/push-subscriptions.ts'
import { readPushKey } from '../../../src/services/deliveries/vapid.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { handleOf } from '../../support/actors.ts'
import { deliveriesOf, prefer, runDue, statesOf } from '../../support/deliveries.ts'
import { insertLogin } from '../../support/logins.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser, failure } from '../../support/viewers.ts'

const HOST = '127.0.0.1:8797'
type Sent = { path: string; headers: Headers; body: Buffer }

/** A push service. `answer` decides what it answers to each push. */
let sent: Sent[] = []
let answer: (path: string) => Response | Promise<Response>
beforeEach(() => {
  vi.spyOn(env.DELIVERIES, 'sendBatch').mockResolvedValue({ metadata: {} } as never) // the tests run what the job finds
  sent = []
  answer = () => new Response(null, { status: 201 })
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    const { pathname } = new URL(String(url))
    sent.push({ path: pathname, headers: new Headers(init?.headers), body: Buffer.from(init?.body as Uint8Array) })
    return answer(pathname)
  })
})

const local = <C extends SystemCtx>(ctx: C): C => ({ ...ctx, config: { ...ctx.config, OUTBOUND_LOCAL_HOSTS: [HOST] } })
const push = (minutes = 0, times = 1) => runDue(minutes, { times, ctx: local(queues.context()) })

type Browser = {
  id: Id
  path: string
  read: (body: Buffer) => { notification: Record<string, string>; web_push: number }
}

async function browser(accountId: Id, name: string): Promise<Browser> {
  const keys = createECDH('prime256v1')
  const auth = randomBytes(16)
  const subscription = {
    endpoint: `http://${HOST}/${name}`,
    keys: { p256dh: keys.generateKeys('base64url'), auth: auth.toString('base64url') },
  }
  const ctx = local(asUser(accountId))
  const viewer = { ...ctx.viewer, sessionId: await insertLogin(accountId) }
  const { id } = await subscribeToPush({ ...ctx, viewer }, PushSubscriptionInput.parse(subscription))
  const read = (body: Buffer) =>
    JSON.parse(
      decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth.toString('base64url') }).toString(),
    )
  return { id, path: `/${name}`, read }
}

async function liked(by: Id): Promise<Id> {
  const postId = await publishedId(ada)
  await likePost(asUser(by), { postId })
  await queues.deliver({ times: 3 })
  return postId
}

test('every device of the person gets one encrypted push that only it can read', async () => {
  const [phone, laptop] = [await browser(ada, 'phone'), await browser(ada, 'laptop')]
  const postId = await liked(bob)
  expect(await statesOf(ada)).toEqual(['push due'])
  await push(0, 5)
  await push(10)
  expect([sent.map(({ path }) => path).sort(), await statesOf(ada)]).toEqual([['/laptop', '/phone'], ['push sent']])
  for (const { path, read } of [phone, laptop]) {
    const { body, headers } = sent.find((each) => each.path === path)!
    expect(read(body)).toEqual({
      web_push: 8030,
      notification: {
        title: `${handleOf(bob)} liked your post`,
        lang: 'en',
        dir: 'ltr',
        tag: expect.any(String),
        navigate: `http://127.0.0.1:8787/posts/${postId}`,
      },
    })
    expect([headers.get('ttl'), headers.get('urgency'), headers.get('topic')]).toEqual([
      '86400',
      'low',
      `like-${postId}`,
    ])
    expect(headers.get('content-encoding')).toBe('aes128gcm')
  }
  const [, token, key] = /^vapid t=(.+), k=(.+)$/.exec(sent[0]!.headers.get('authorization')!)!
  expect(key).toBe((await readPushKey(asUser(ada))).key)
  const point = Buffer.from(key!, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  await jwtVerify(token!, await importJWK(jwk, 'ES256'), { audience: `http://${HOST}` })
  expect(decodeJwt(token!).exp! - Date.now() / 1_000).toBeLessThan(24 * 3_600)
})

test('a device that the push service no longer knows is forgotten, and the others get their pushes', async () => {
  await browser(ada, 'gone')
  const kept = await browser(ada, 'kept')
  answer = (path) => new Response(null, { status: path === '/gone' ? 410 : 201 })
  await liked(bob)
  await push()
  const { items } = await listPushSubscriptions(asUser(ada))
  expect([items.map(({ id }) => id), await statesOf(ada)]).toEqual([[kept.id], ['push sent']])
})

test('after 429, 503 or no answer only the devices without the push get it, when the service allows it', async () => {
  await browser(ada, 'fine')
  await browser(ada, 'busy')
  const failures = [
    () => new Response(null, { status: 429, headers: { 'retry-after': '1800' } }),
    () => new Response(null, { status: 503 }),
    () => Promise.reject(new DOMException('too slow', 'TimeoutError')),
  ]
  answer = (path) => (path === '/busy' ? (failures.shift()?.() ?? new Response(null, { status: 201 })) : new Response())
  await liked(bob)
  await push()
  await push(29)
  expect(sent.map(({ path }) => path).sort()).toEqual(['/busy', '/fine'])
  await push(31)
  await push(60)
  await push(120)
  expect(sent.filter(({ path }) => path === '/fine').length).toBe(1)
  expect([sent.filter(({ path }) => path === '/busy').length, await statesOf(ada)]).toEqual([4, ['push sent']])
})

test('a delivery whose service fails for a day is given up', async () => {
  await browser(ada, 'down')
  answer = () => new Response(null, { status: 500 })
  await liked(bob)
  for (let hour = 0; hour < 36; hour++) for (const minute of [0, 2, 5, 15]) await push(hour * 60 + minute)
  expect([await statesOf(ada), (await deliveriesOf(ada))[0]?.attempt]).toEqual([['push failed'], 9])
})

test('no push is planned for people without a device, or who do not want it', async () => {
  await liked(bob)
  expect(await deliveriesOf(ada)).toEqual([])
  const device = await browser(ada, 'quiet')
  await prefer(ada, { rules: { like: { push: 'nobody' } } })
  await liked(cyd)
  expect(await deliveriesOf(ada)).toEqual([])
  await deletePushSubscription(asUser(ada), { subscriptionId: device.id })
  await expect(deletePushSubscription(asUser(ada), { subscriptionId: device.id })).rejects.toEqual(failure('not_found'))
})

test('an endpoint must be a public https address with valid keys, and is stored once and encrypted', async () => {
  const keys = {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  }
  const add = (endpoint: string, other = keys) => subscribeToPush(asUser(ada), { endpoint, keys: other })
  for (const endpoint of [
    'http://push.example.net/1',
    'https://127.0.0.1/1',
    'https://localhost/1',
    'https://push.example.net:8443/',
    'x',
  ])
    await expect(add(endpoint)).rejects.toEqual(failure('invalid'))
  const notOnCurve = Buffer.alloc(65, 4).toString('base64url')
  await expect(add('https://push.example.net/1', { ...keys, p256dh: notOnCurve })).rejects.toEqual(failure('invalid'))
  const [first, again] = [await add('https://push.example.net/1'), await add('https://push.example.net/1')]
  expect([again.id, (await listPushSubscriptions(asUser(ada))).items.length]).toEqual([first.id, 1])
  const { results } = await env.SHARD_0.prepare('select * from push_subscriptions where account_id = ?')
    .bind(Number(ada))
    .all()
  expect(JSON.stringify(results)).not.toMatch(/push\.example/)
  for (let n = 2; n <= 20; n++) await add(`https://push.example.net/${n}`)
  await expect(add('https://push.example.net/21')).rejects.toMatchObject({ code: 'too_many_push_subscriptions' })
  await add('https://push.example.net/20')
})

test('a browser belongs to the person who has subscribed with it last', async () => {
  await browser(ada, 'shared')
  await browser(bob, 'shared')
  await liked(bob)
  await push()
  expect([await deliveriesOf(ada), sent]).toEqual([[], []])
})

test('a subscription ends with the login that made it', async () => {
  await browser(ada, 'lost')
  const kept = await browser(ada, 'kept')
  await env.DIRECTORY.prepare("DELETE FROM sessions WHERE user_id = ? AND id <> ''").bind(Number(ada)).run()
  await browser(ada, 'kept')
  await liked(bob)
  await push()
  expect(sent.map(({ path }) => path)).toEqual(['/kept'])
  expect((await listPushSubscriptions(asUser(ada))).items.map(({ id }) => id)).toEqual([kept.id])
})

test('a person gets at most one push in a minute, which covers all notifications', async () => {
  const { read } = await browser(ada, 'phone')
  await liked(bob)
  await push()
  for (let round = 0; round < 5; round++) {
    await followAccount(asUser(cyd), { accountId: ada })
    await queues.deliver()
    await unfollowAccount(asUser(cyd), { accountId: ada })
    await queues.deliver()
    await liked(bob)
    await push(0.2)
  }
  expect(sent.length).toBe(1)
  await push(1.1)
  await push(2.2)
  expect(sent.length).toBe(2)
  expect(read(sent[1]!.body).notification).toMatchObject({ title: '5 new notifications', tag: 'several' })
})

test('a long post is cut to what a push service accepts', async () => {
  const { read } = await browser(ada, 'reader')
  await prefer(ada, { includeText: true })
  await publishedId(bob, { text: `@${handleOf(ada)} ${'𝒶'.repeat(400)}` })
  await queues.deliver()
  await push()
  expect(sent[0]!.body.length).toBeLessThanOrEqual(4_096)
  expect(read(sent[0]!.body).notification.body).toMatch(/^@.+𝒶…$/u)
})
