import { expect, test, vi } from 'vitest'
import { memoryStore } from '../../src/client/client.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from '../support/actors.ts'
import { type AppClient, appClient, clientOf, requestsTo } from '../support/api-client.ts'
import { LEASE_MS, movableClock } from '../support/clock.ts'

const REFRESH = '/v1/auth/refresh'
const clock = movableClock()
const json = { 'content-type': 'application/problem+json' }
const logInAs = ({ handle }: RegisteredUser, { client }: AppClient) =>
  client.logIn({ identifier: handle, password: PASSWORD })

/** Holds the responses of `path` until `release` is called. `reached` resolves when the first has arrived. */
function hold({ answer }: AppClient, path: string) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  answer(async (request, forward) => {
    const response = await forward()
    if (request.path !== path) return response
    reached.resolve()
    await released.promise
    return response
  })
  return { reached: reached.promise, release: released.resolve }
}

test('a call whose answer was lost is not repeated after another account has logged in', async () => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const app = clientOf(ann, { sleep: async () => void (await logInAs(ben, app)) })
  app.answer(({ path }, forward) => (path === '/v1/posts' ? Promise.reject(new TypeError('reset')) : forward()))
  await expect(app.client.createPost({ text: 'by Ann' })).rejects.toMatchObject({ code: 'session_ended' })
  expect(requestsTo(app, '/v1/posts').length).toBe(1)
  expect((await app.client.getAccountFeed({ accountId: ben.id })).items).toEqual([])
})

test('an operation that waits for a fresh login is not repeated as the account that has logged in meanwhile', async () => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const app = clientOf(ann, { onFreshLoginRequired: async () => void (await logInAs(ben, app)) })
  app.answer(async ({ method }, forward) =>
    method === 'DELETE' ? new Response('{"code":"fresh_login_required"}', { status: 403, headers: json }) : forward(),
  )
  await expect(app.client.deleteAccount()).rejects.toMatchObject({ code: 'session_ended' })
  expect(app.sent.filter(({ method }) => method === 'DELETE').length).toBe(1)
  expect((await app.client.getMe()).id).toBe(ben.id)
})

test('a response that arrives after another account has logged in is not given to the caller', async () => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const app = clientOf(ann)
  const { reached, release } = hold(app, '/v1/accounts/me')
  const late = app.client.getMe().catch((error: unknown) => error)
  await reached
  await logInAs(ben, app)
  release()
  expect(await late).toMatchObject({ code: 'session_ended' })
})

test('a logout during a refresh drops the tokens of that refresh', async () => {
  const ann = await registeredUser()
  const store = memoryStore(ann.refreshToken)
  const tokens = vi.fn()
  const app = clientOf(ann, { store, onTokens: tokens })
  const { reached, release } = hold(app, REFRESH)
  const late = app.client.getMe().catch((error: unknown) => error)
  await reached
  await app.client.session.end()
  release()
  expect(await late).toMatchObject({ code: 'session_ended' })
  expect([await store.load(), tokens.mock.calls]).toEqual([undefined, []])
  expect(requestsTo(app, '/v1/accounts/me')).toEqual([])
})

type Lock = NonNullable<ClientOptions['lock']>

const noLock: Lock = (work) => work()

function queue(): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work, work)
    last = turn
    return turn
  }
}

test.each([
  { name: 'renewed without a lock', lock: noLock, isRevoked: false },
  { name: 'renewed with a lock', lock: queue(), isRevoked: false },
  { name: 'refused without a lock', lock: noLock, isRevoked: true },
  { name: 'refused with a lock', lock: queue(), isRevoked: true },
])('the login of another client stays stored while the old login is $name', async ({ lock, isRevoked }) => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const store = memoryStore(ann.refreshToken)
  let turns = 0
  const counted: Lock = (work) => {
    turns += 1
    return lock(work)
  }
  const options = { store, lock: counted }
  const [old, other] = [clientOf(ann, options), appClient(options)]
  if (isRevoked) await ann.fetch('/v1/auth/logout-all', { method: 'POST' })
  const { reached, release } = hold(old, REFRESH)
  const outcome = old.client.getMe().catch((error: unknown) => error)
  await reached
  const login = logInAs(ben, other)
  await vi.waitUntil(() => turns === 2, { timeout: 10_000, interval: 5 })
  release()
  await Promise.all([outcome, login])
  expect((await appClient({ store }).client.getMe()).id).toBe(ben.id)
})

test('a logout keeps the login of another account that another client has stored meanwhile', async () => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const [store, ended] = [memoryStore(ann.refreshToken), vi.fn()]
  const [old, other] = [clientOf(ann, { store, onSessionEnd: ended }), appClient({ store })]
  await old.client.getMe()
  await logInAs(ben, other)
  await old.client.logOut()
  expect(ended).toHaveBeenCalledTimes(1)
  expect((await appClient({ store }).client.getMe()).id).toBe(ben.id)
  expect((await other.client.getMe()).id).toBe(ben.id)
})

test('a logout deletes the token that another client of the same account has renewed', async () => {
  const ann = await registeredUser()
  const store = memoryStore(ann.refreshToken)
  const [old, other] = [clientOf(ann, { store }), appClient({ store })]
  await old.client.getMe()
  await other.client.session.refresh()
  old.answer(async () => new Response('{"code":"unavailable"}', { status: 503, headers: json }))
  await expect(old.client.logOut()).rejects.toMatchObject({ status: 503 })
  expect(await store.load()).toBeUndefined()
})

test('a login sends no token, so that one of a suspended account does not prevent it', async () => {
  const [ann, ben] = [await registeredUser(), await registeredUser()]
  const app = clientOf(ann)
  await app.client.getMe()
  await logInAs(ben, app)
  expect(requestsTo(app, '/v1/auth/login').map(({ headers }) => headers.has('authorization'))).toEqual([false])
  expect((await app.client.getMe()).id).toBe(ben.id)
})

test.each([429, 503, 403])('a logout that the server answers with %d ends the login in this client', async (status) => {
  const ann = await registeredUser()
  const [store, ended] = [memoryStore(ann.refreshToken), vi.fn()]
  const app = clientOf(ann, { store, onSessionEnd: ended })
  await app.client.getMe()
  app.answer(async () => new Response('{"code":"suspended"}', { status, headers: json }))
  await expect(app.client.logOut()).rejects.toMatchObject({ status })
  expect([await store.load(), ended.mock.calls]).toEqual([undefined, [[undefined]]])
})

test('a logout whose login the server has ended already is reported once', async () => {
  const ann = await registeredUser()
  const ended = vi.fn()
  const app = clientOf(ann, { onSessionEnd: ended })
  await app.client.getMe()
  await ann.fetch('/v1/auth/logout-all', { method: 'POST' })
  clock.advance(LEASE_MS)
  await expect(app.client.logOut()).rejects.toMatchObject({ code: 'session_ended' })
  expect(ended).toHaveBeenCalledTimes(1)
})
