import { beforeAll, expect, test } from 'vitest'
import type { Cost } from '../src/platform/observability/cost.ts'
import type { Tokens } from '../src/services/identity/views.ts'
import { mailedToken, PASSWORD, registeredUser } from './support/actors.ts'
import { claimsOf, loggedIn, logIn, readMe, refreshWith, register, verify } from './support/auth.ts'
import { type Budget, expectWithin } from './support/budgets.ts'
import { anonymousClient } from './support/client.ts'
import { seedExports } from './support/exports.ts'
import { drained } from './support/outboxes.ts'
import {
  changeAddress,
  changeHandle,
  confirmAddress,
  forgot,
  mailedAddressToken,
  mailedResetToken,
  mailedUndoToken,
  NEW_PASSWORD,
  resend,
  resetWith,
  undoAddress,
} from './support/recovery.ts'
import { until } from './support/until.ts'

// Checks the budgets of authentication in docs/architecture.md. The costs include the queries of better-auth.

let accounts = 0
const newHandle = () => `budget_${accounts++}`

beforeAll(async () => {
  // The budgets do not include what the first requests of an isolate do: read the signing keys, store the OAuth client.
  await readMe((await registeredUser()).token)
})

async function expectAnswer(
  response: Response,
  status: number,
  budget: Budget,
  directoryTrips = budget.trips ?? 0,
): Promise<void> {
  expect(response.status).toBe(status)
  const cost: Cost = JSON.parse(response.headers.get('x-cost')!)
  expectWithin(`a response with ${status}`, cost, { ...budget, directoryTrips })
}

const post = (path: string, accessToken: string) =>
  anonymousClient().fetch(path, { method: 'POST', headers: { authorization: `Bearer ${accessToken}` } })

test('registration stays within its budget, also for a handle that another registration holds, or for a known address', async () => {
  const budget = { trips: 1, rowsRead: 30, rowsWritten: 14, objectCalls: 4, bucketCalls: 3, queueMessages: 1 }
  const handle = newHandle()
  await expectAnswer(await register(handle), 202, budget)
  await expectAnswer(await register(handle), 202, budget)
  await verify(await mailedToken(handle))
  await expectAnswer(await register(newHandle(), { email: `${handle}@example.com` }), 202, budget)
})

test('verification, login and refresh stay within their budgets', async () => {
  const handle = newHandle()
  await register(handle)
  const verified = await verify(await mailedToken(handle))
  await expectAnswer(verified, 200, {
    trips: 9,
    rowsRead: 36,
    rowsWritten: 22,
    objectCalls: 3,
    bucketCalls: 1,
    queueMessages: 3,
  })
  const login = await logIn(handle)
  await expectAnswer(login, 200, {
    trips: 8,
    rowsRead: 38,
    rowsWritten: 15,
    objectCalls: 7,
    bucketCalls: 1,
    queueMessages: 2,
  })
  const { refreshToken, deviceToken } = await login.json<Tokens>()
  const known = await logIn(handle, PASSWORD, anonymousClient(), deviceToken)
  await expectAnswer(known, 200, {
    trips: 8,
    rowsRead: 40,
    rowsWritten: 12,
    objectCalls: 4,
    bucketCalls: 1,
    queueMessages: 1,
  })
  const refresh = { trips: 8, rowsRead: 24, rowsWritten: 10, objectCalls: 2 }
  await expectAnswer(await refreshWith(refreshToken), 200, refresh)
  await expectAnswer(await refreshWith(refreshToken), 200, { trips: 5, rowsRead: 8, objectCalls: 2 })
})

test('a login with a wrong password or an unknown name takes two round trips, after five failures an hour one', async () => {
  const { handle } = await registeredUser()
  const noted = { trips: 2, rowsRead: 12, rowsWritten: 1, objectCalls: 5, bucketCalls: 2, queueMessages: 1 }
  for (const name of [handle, `${handle}@example.com`, 'nobody_at_all']) {
    const wrong = () => logIn(name, 'a wrong password of theirs')
    for (let i = 0; i < 5; i++) await expectAnswer(await wrong(), 401, noted)
    await expectAnswer(await wrong(), 401, { trips: 1, rowsRead: 9, objectCalls: 4 })
  }
})

test('listing logins, ending one and ending all others stay within their budgets', async () => {
  const user = await registeredUser()
  const first = await loggedIn(user)
  await loggedIn(user)
  const call = (method: string, path: string) => user.fetch(`/v1/me/sessions${path}`, { method })
  await expectAnswer(await call('GET', ''), 200, { trips: 1, rowsRead: 8, objectCalls: 1, bucketCalls: 1 })
  const end = await call('DELETE', `/${claimsOf(first.accessToken).sid}`)
  await expectAnswer(end, 204, {
    trips: 1,
    rowsRead: 14,
    rowsWritten: 4,
    objectCalls: 4,
    bucketCalls: 1,
    queueMessages: 1,
  })
  const others = { trips: 2, rowsRead: 20, rowsWritten: 6, objectCalls: 5, bucketCalls: 1, queueMessages: 1 }
  await expectAnswer(await call('DELETE', ''), 204, others)
})

test('a request for a reset or verification email stays within its budget, whatever the name', async () => {
  const { handle } = await registeredUser()
  const budget = { trips: 1, rowsRead: 6, rowsWritten: 4, objectCalls: 4, queueMessages: 1 }
  for (const name of [handle, `${handle}@example.com`, 'nobody_at_all', 'nobody@example.com']) {
    await expectAnswer(await forgot(name), 202, budget)
  }
  for (const email of [`${handle}@example.com`, 'nobody@example.com']) {
    await expectAnswer(await resend(email), 202, budget)
  }
})

test('resetting and changing a password stay within their budgets', async () => {
  const ada = await registeredUser()
  const json = { currentPassword: PASSWORD, password: NEW_PASSWORD }
  const changed = await ada.fetch('/v1/auth/password', { method: 'PUT', json })
  await expectAnswer(changed, 200, {
    trips: 12,
    rowsRead: 40,
    rowsWritten: 30,
    objectCalls: 6,
    bucketCalls: 1,
    queueMessages: 2,
  })
  const reset = await resetWith(await mailedResetToken(ada.id), PASSWORD)
  await expectAnswer(reset, 200, {
    trips: 3,
    rowsRead: 34,
    rowsWritten: 30,
    objectCalls: 5,
    bucketCalls: 1,
    queueMessages: 2,
  })
  await expectAnswer(await resetWith('1.9999999999999.x'), 422, { trips: 1, rowsRead: 3, objectCalls: 2 })
})

test('changes of an address and of a handle, and reading the identity, stay within their budgets', async () => {
  const [ada, bob] = [await registeredUser(), await registeredUser()]
  const request = { trips: 3, rowsRead: 12, rowsWritten: 12, objectCalls: 4, bucketCalls: 1, queueMessages: 2 }
  await expectAnswer(await changeAddress(ada, `${bob.handle}@example.com`), 202, request)
  await expectAnswer(await changeAddress(ada, `${ada.handle}@example.org`), 202, request)
  const confirmed = await confirmAddress(await mailedAddressToken(ada.id, `${ada.handle}@example.org`))
  await expectAnswer(confirmed, 204, {
    trips: 3,
    rowsRead: 30,
    rowsWritten: 20,
    objectCalls: 4,
    bucketCalls: 1,
    queueMessages: 2,
  })
  await expectAnswer(await bob.fetch('/v1/me/identity'), 200, { trips: 1, rowsRead: 4, objectCalls: 1, bucketCalls: 1 })
  const renamed = await changeHandle(bob, newHandle())
  await expectAnswer(
    renamed,
    200,
    { trips: 6, rowsRead: 40, rowsWritten: 23, objectCalls: 3, bucketCalls: 1, queueMessages: 3 },
    5,
  )
  const undone = await undoAddress(await mailedUndoToken(ada.id, `${ada.handle}@example.com`))
  await expectAnswer(undone, 204, {
    trips: 3,
    rowsRead: 54,
    rowsWritten: 30,
    objectCalls: 5,
    bucketCalls: 1,
    queueMessages: 3,
  })
})

test('logout, and logout everywhere of several sessions, stay within their budgets', async () => {
  const user = await registeredUser()
  const [first, second] = [await loggedIn(user), await loggedIn(user), await loggedIn(user)]
  const budget = { trips: 1, rowsRead: 14, rowsWritten: 4, objectCalls: 4, bucketCalls: 1, queueMessages: 1 }
  await expectAnswer(await post('/v1/auth/logout', first.accessToken), 204, budget)
  const everywhere = { trips: 2, rowsRead: 30, rowsWritten: 12, objectCalls: 4, bucketCalls: 1, queueMessages: 1 }
  await expectAnswer(await post('/v1/auth/logout-all', second.accessToken), 204, everywhere)
})

test('the session that better-auth stores counts as a write of its own request, even among concurrent requests', async () => {
  const users = [await registeredUser(), await registeredUser(), await registeredUser()]
  const costOf = (response: Response): Cost => JSON.parse(response.headers.get('x-cost')!)
  const alone = costOf(await logIn(users[0]!.handle))
  expect(alone.rowsWritten).toBeGreaterThan(0)
  const together = await Promise.all(users.map(({ handle }) => logIn(handle)))
  const counted = together.map(costOf).map(({ trips, rowsWritten }) => [trips, rowsWritten])
  expect(counted).toEqual(users.map(() => [alone.trips, alone.rowsWritten]))
})

test('the deletion of an account stays within its budget', async () => {
  const user = await registeredUser()
  const response = await user.fetch('/v1/me', { method: 'DELETE' })
  expect(response.status).toBe(202)
  const cost: Cost = JSON.parse(response.headers.get('x-cost')!)
  const budget = {
    trips: 5,
    directoryTrips: 4,
    rowsRead: 30,
    rowsWritten: 12,
    objectCalls: 5,
    bucketCalls: 1,
    queueMessages: 3,
  }
  expectWithin('a deletion', cost, budget)
})

test('requesting, listing and downloading exports stay within their budgets', async () => {
  const user = await registeredUser()
  await expectAnswer(await user.fetch('/v1/me/exports', { method: 'POST' }), 202, {
    trips: 2,
    rowsRead: 10,
    rowsWritten: 4,
    objectCalls: 2,
    bucketCalls: 1,
    queueMessages: 1,
  })
  await expectAnswer(await user.fetch('/v1/me/exports'), 200, { trips: 1, rowsRead: 2, objectCalls: 2 })
  await until(async () => /ready/.test(await (await user.fetch('/v1/me/exports')).text()))
  await drained()
  const [exportId] = await seedExports([user.id])
  const download = await user.fetch(`/v1/me/exports/${exportId}/file`)
  await expectAnswer(download, 200, {
    trips: 3,
    rowsRead: 6,
    rowsWritten: 1,
    objectCalls: 2,
    bucketCalls: 2,
    queueMessages: 1,
  })
})
