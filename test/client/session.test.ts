import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { ApiError, memoryStore } from '../../src/client/client.ts'
import { PASSWORD, registeredUser } from '../support/actors.ts'
import { appClient, clientOf, requestsTo } from '../support/api-client.ts'
import { directoryNumber, refreshWith } from '../support/auth.ts'
import { LEASE_MS, movableClock } from '../support/clock.ts'

const REFRESH = '/v1/auth/refresh'
const TOKEN_LIFE_MS = 3_600_000
const clock = movableClock()
afterEach(() => vi.restoreAllMocks())

test('20 parallel calls with an expired token share one refresh, and all succeed', async () => {
  const app = clientOf(await registeredUser())
  await app.client.getMe()
  clock.advance(TOKEN_LIFE_MS)
  const calls = await Promise.all(Array.from({ length: 20 }, () => app.client.countUnreadNotifications()))
  expect(calls).toEqual(Array.from({ length: 20 }, () => ({ count: 0 })))
  expect(requestsTo(app, REFRESH).length).toBe(2)
  expect(app.sent.filter(({ path }) => path.endsWith('unread-count')).length).toBe(40)
})

test('a rejection that arrives after the refresh takes the new token without another refresh', async () => {
  const app = clientOf(await registeredUser())
  await app.client.getMe()
  clock.advance(TOKEN_LIFE_MS)
  const [late, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  app.answer(async (request, forward) => {
    const response = await forward()
    if (request.path !== '/v1/limits') return response
    late.resolve()
    await resumed.promise
    return response
  })
  const slow = app.client.getLimits()
  await late.promise
  await app.client.getMe()
  resumed.resolve()
  await slow
  expect(requestsTo(app, REFRESH).length).toBe(2)
})

test('a refresh whose answer was lost is repeated with the same token, and the login goes on', async () => {
  const user = await registeredUser()
  const store = memoryStore(user.refreshToken)
  const app = clientOf(user, { store })
  let losses = 1
  app.answer(async ({ path }, forward) => {
    const response = await forward()
    if (path === REFRESH && losses-- > 0) throw new TypeError('connection reset')
    return response
  })
  expect((await app.client.getMe()).id).toBe(user.id)
  expect(requestsTo(app, REFRESH).length).toBe(2)
  expect((await refreshWith((await store.load())!)).status).toBe(200)
})

test('a refresh that the server interrupted succeeds later, and until then the login is not given up', async () => {
  const user = await registeredUser()
  const ended = vi.fn()
  const app = clientOf(user, { onSessionEnd: ended })
  app.answer(async ({ path }, forward) => {
    if (path === REFRESH) await forward()
    throw new TypeError('connection reset')
  })
  await expect(app.client.getMe()).rejects.toMatchObject({ status: 0, code: 'network_error' })
  expect(ended).not.toHaveBeenCalled()
  const undone = 'update refresh_tokens set rotation_replay_response = null where user_id = ?'
  await env.DIRECTORY.prepare(undone).bind(Number(user.id)).run()
  clock.advance(3_600_000)
  app.answer((_, forward) => forward())
  expect((await app.client.getMe()).id).toBe(user.id)
})

test('clients that share a store and a lock refresh in turns, so that the login survives', async () => {
  const { refreshToken, id } = await registeredUser()
  const store = memoryStore(refreshToken)
  let last: Promise<unknown> = Promise.resolve()
  const lock = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn
    return turn
  }
  const tabs = Array.from({ length: 5 }, () => appClient({ store, lock }))
  for (let round = 0; round < 3; round++) {
    const accounts = await Promise.all(tabs.map(({ client }) => client.getMe()))
    expect(new Set(accounts.map((account) => account.id))).toEqual(new Set([id]))
    clock.advance(TOKEN_LIFE_MS)
  }
  expect(await directoryNumber('select count(*) n from sessions where user_id = ?', Number(id))).toBe(1)
})

test('a revoked login ends the session once, deletes the stored token, and is reported as such', async () => {
  const user = await registeredUser()
  const store = memoryStore(user.refreshToken)
  const ended = vi.fn()
  const { client } = clientOf(user, { store, onSessionEnd: ended })
  await client.getMe()
  await user.fetch('/v1/auth/logout-all', { method: 'POST' })
  clock.advance(LEASE_MS)
  const outcomes = await Promise.allSettled([client.getMe(), client.getMe()])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'session_ended', status: 401 } })
  }
  expect(ended.mock.calls).toEqual([[expect.any(ApiError)]])
  expect(await store.load()).toBeUndefined()
  expect((await client.getLimits()).postLength).toBeGreaterThan(0)
})

test('the next call of a client with a refused stored token is anonymous', async () => {
  const ended = vi.fn()
  const { client, sent } = appClient({ store: memoryStore('no.valid.token'), onSessionEnd: ended })
  expect((await client.getLimits()).postLength).toBeGreaterThan(0)
  expect(ended).toHaveBeenCalledTimes(1)
  expect(sent.at(-1)?.headers.has('authorization')).toBe(false)
})

test('a stored login is resumed; without one, or with one that the server refuses, nobody is logged in', async () => {
  const user = await registeredUser()
  const { client, sent } = clientOf(user)
  expect(await client.session.resume()).toBe(true)
  expect((await client.getMe()).id).toBe(user.id)
  expect(sent.length).toBe(2)
  await client.session.forget()
  expect(await appClient().client.session.resume()).toBe(false)
  expect(await appClient({ store: memoryStore('no.valid.token') }).client.session.resume()).toBe(false)
})

test('a call that began as one account is never repeated as another', async () => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const app = clientOf(ann)
  await app.client.getMe()
  clock.advance(TOKEN_LIFE_MS)
  app.answer(async ({ path }, forward) => {
    const response = await forward()
    if (path !== '/v1/posts') return response
    app.answer((_, next) => next())
    await app.client.logIn({ identifier: ben.handle, password: PASSWORD })
    return response
  })
  await expect(app.client.createPost({ text: 'by Ann' })).rejects.toMatchObject({ code: 'session_ended' })
  expect((await app.client.getMe()).id).toBe(ben.id)
  expect((await app.client.getAccountFeed({ accountId: ben.id })).items).toEqual([])
})

test('a change of the password goes on with new tokens, and a wrong password keeps the old ones', async () => {
  const user = await registeredUser()
  const app = clientOf(user)
  const password = '7-wq!3-pk?8-nd+5'
  const wrong = app.client.changePassword({ currentPassword: `${PASSWORD}x`, password })
  await expect(wrong).rejects.toMatchObject({ code: 'invalid_credentials' })
  expect((await app.client.getMe()).id).toBe(user.id)
  await app.client.changePassword({ currentPassword: PASSWORD, password })
  expect((await app.client.getMe()).id).toBe(user.id)
  clock.advance(TOKEN_LIFE_MS)
  expect((await app.client.getMe()).id).toBe(user.id)
})

test('a call that waits while the password is changed goes on with the old token if the change fails', async () => {
  const user = await registeredUser()
  const { client, answer } = clientOf(user)
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const headers = { 'content-type': 'application/problem+json' }
  const rejections = [new Response('{"code":"unauthorized"}', { status: 401, headers })]
  answer(async ({ path }, forward) => {
    if (path === '/v1/limits') return rejections.shift() ?? forward()
    if (path === '/v1/auth/password') {
      reached.resolve()
      await resumed.promise
    }
    return forward()
  })
  const password = '7-wq!3-pk?8-nd+5'
  const change = client.changePassword({ currentPassword: `${PASSWORD}x`, password }).catch((error: unknown) => error)
  await reached.promise
  const waiting = client.getLimits()
  await expect.poll(() => rejections.length).toBe(0)
  resumed.resolve()
  expect(await change).toMatchObject({ code: 'invalid_credentials' })
  expect((await waiting).postLength).toBeGreaterThan(0)
})

test('a logout ends the session here, and the tokens are told to those who keep them', async () => {
  const user = await registeredUser()
  const [tokens, ended] = [vi.fn(), vi.fn()]
  const { client, sent } = appClient({ onTokens: tokens, onSessionEnd: ended })
  await client.logIn({ identifier: user.handle, password: PASSWORD })
  expect(tokens.mock.calls).toMatchObject([[{ account: { id: user.id } }]])
  await client.logOut()
  expect(ended.mock.calls).toEqual([[undefined]])
  await expect(client.getMe()).rejects.toMatchObject({ code: 'unauthorized' })
  expect(sent.at(-1)?.headers.has('authorization')).toBe(false)
})
