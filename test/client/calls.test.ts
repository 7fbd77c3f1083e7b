import { expect, test, vi } from 'vitest'
import { isCode } from '../../src/client/client.ts'
import { mailedToken, PASSWORD, registeredUser } from '../support/actors.ts'
import { appClient, clientOf } from '../support/api-client.ts'
import { jpeg } from '../support/images.ts'
import { operations } from '../sweeps/operations.ts'

test('every operation is a method, and every list also an iterator', () => {
  const { client } = appClient()
  const ids = operations.filter(({ id }) => id !== 'openRealtime').map(({ id }) => id)
  expect(ids.filter((id) => typeof Reflect.get(client, id) !== 'function')).toEqual([])
  const lists = operations.filter(({ path }) => path === '/v1/feeds/home' || path === '/v1/notifications')
  for (const { id } of lists) expect(Reflect.get(client.pages, id)).toBeTypeOf('function')
})

test('a person registers, verifies, posts with an image, and reads the feed', async () => {
  const { client } = appClient()
  const handle = 'ann_client'
  const email = `${handle}@example.com`
  const { registrationToken } = await client.register({ handle, email, password: PASSWORD })
  const { account } = await client.verifyAddress({ token: await mailedToken(handle), registrationToken })
  const file = new File([jpeg({ width: 64, height: 48 })], 'a.jpg', { type: 'image/jpeg' })
  const image = await client.uploadMedia({ file, alt: 'A sky' })
  const post = await client.createPost({ text: 'Hello & welcome', media: [image.id] })
  expect(post).toMatchObject({ author: { id: account.id }, media: [{ id: image.id, alt: 'A sky' }] })
  expect(await client.getPost({ postId: post.id })).toMatchObject({ text: 'Hello & welcome' })
  expect(await client.likePost({ postId: post.id })).toMatchObject({ liked: true })
  expect(await client.unlikePost({ postId: post.id })).toBeUndefined()
  const feed = await client.getAccountFeed({ accountId: account.id, limit: 1 })
  expect(feed.items.map(({ id }) => id)).toEqual([post.id])
  const thumbnail = await client.getMedia({ mediaId: image.id, variant: 'thumbnail' })
  expect([thumbnail.type, thumbnail.size > 0]).toEqual(['image/webp', true])
  expect((await client.getAccountByHandle({ handle: `＠${handle}` })).id).toBe(account.id)
})

test('a refusal is an ApiError with status, code, fields and request id', async () => {
  const { client, sent } = clientOf(await registeredUser())
  const error = await client.createPost({ text: '', media: ['x'] }).catch((thrown: unknown) => thrown)
  expect(isCode(error, 'invalid')).toBe(true)
  expect(error).toMatchObject({
    status: 422,
    code: 'invalid',
    fields: expect.arrayContaining([{ field: 'media.0', message: 'must be a decimal id' }]),
    requestId: expect.stringMatching(/^\w{8}/),
  })
  expect(sent.length).toBe(2)
  await expect(client.getPost({ postId: '12' })).rejects.toMatchObject({ status: 404, code: 'not_found', fields: [] })
})

test('an API key or OAuth token is sent as it is, and its rejection is reported without a refresh', async () => {
  const { token, id } = await registeredUser()
  const credential = vi.fn(() => token)
  const bot = appClient({ credential })
  expect((await bot.client.getMe()).id).toBe(id)
  expect((await bot.client.getMe()).id).toBe(id)
  expect(credential).toHaveBeenCalledTimes(2)
  const stranger = appClient({ credential: 'an-api-key-that-nobody-has-issued' })
  await expect(stranger.client.getMe()).rejects.toMatchObject({ status: 401, code: 'unauthorized' })
  expect(stranger.sent.length).toBe(1)
})

test('a response that is not of the API is an error', async () => {
  const portal = appClient({ fetch: async () => new Response('<h1>Log in to the Wi-Fi</h1>') })
  await expect(portal.client.getLimits()).rejects.toMatchObject({ status: 200, code: 'unexpected_response' })
  const headers = { 'content-type': 'application/json' }
  const torn = appClient({ fetch: async () => new Response('{"postLength": 5', { headers }) })
  await expect(torn.client.getLimits()).rejects.toMatchObject({ status: 200, code: 'unexpected_response' })
})

test('an aborted call rejects with the reason of its signal, even while it waits for a retry', async () => {
  const { client, sent } = appClient()
  const over = new Error('over')
  await expect(client.getLimits({}, { signal: AbortSignal.abort(over) })).rejects.toBe(over)
  const stop = new AbortController()
  const waiting = appClient({
    fetch: async () => new Response('{}', { status: 503 }),
    sleep: (_, signal) => {
      stop.abort(over)
      return new Promise((_resolve, reject) => reject(signal?.reason))
    },
  })
  await expect(waiting.client.getLimits({}, { signal: stop.signal })).rejects.toBe(over)
  expect([sent.length, waiting.sent.length]).toEqual([0, 1])
})

test('an operation that requires a fresh login is repeated once the login is confirmed', async () => {
  const user = await registeredUser()
  const { client, sent, answer } = clientOf(user, {
    onFreshLoginRequired: () => client.confirmLogin({ password: PASSWORD }),
  })
  let refusals = 1
  answer((request, forward) => {
    if (request.path !== '/v1/me/exports' || refusals-- === 0) return forward()
    const headers = { 'content-type': 'application/problem+json' }
    return Promise.resolve(new Response('{"code":"fresh_login_required"}', { status: 403, headers }))
  })
  expect((await client.requestExport()).status).toBe('preparing')
  expect(sent.map(({ path }) => path)).toEqual([
    '/v1/auth/refresh',
    '/v1/me/exports',
    '/v1/auth/confirm',
    '/v1/me/exports',
  ])
})

test('a path parameter that would lead to another operation is refused', async () => {
  const { client, sent } = appClient()
  for (const postId of ['', '.', '..']) await expect(client.getPost({ postId })).rejects.toThrow(TypeError)
  expect(sent).toEqual([])
})

test('an aborted call leaves no rejection unhandled when what it waited for fails', async () => {
  const over = new Error('over')
  const credential = () => Promise.reject(new Error('no key'))
  const unhandled = vi.fn()
  addEventListener('unhandledrejection', unhandled)
  const { client } = appClient({ credential })
  await expect(client.getLimits({}, { signal: AbortSignal.abort(over) })).rejects.toBe(over)
  await new Promise((resolve) => setTimeout(resolve, 0))
  removeEventListener('unhandledrejection', unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})
