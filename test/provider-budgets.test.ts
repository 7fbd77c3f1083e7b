import { afterEach, expect, test, vi } from 'vitest'
import type { Cost } from '../src/platform/observability/cost.ts'
import { registeredUser } from './support/actors.ts'
import { type Budget, expectWithin } from './support/budgets.ts'
import { insertLink, newPerson, withProvider } from './support/provider-logins.ts'

// Checks the budgets of logins with providers in docs/architecture.md.

afterEach(() => {
  vi.restoreAllMocks()
})

async function expectAnswer(response: Response, status: number, budget: Budget): Promise<void> {
  expect(response.status).toBe(status)
  const cost: Cost = JSON.parse(response.headers.get('x-cost')!)
  expectWithin(`a response with ${status}`, cost, { directoryTrips: budget.trips ?? 0, ...budget })
}

test('logins, registrations and links with providers stay within their budgets', async () => {
  const { provider, call, post, logInAs, registerAs, finishAs } = await withProvider()
  const ada = await registeredUser()
  await call('GET', '/v1/me/providers', { token: ada.token }) // reads the signing keys, once per isolate
  await insertLink(ada.id, provider.issuer, 'ada')
  await expectAnswer(await call('GET', '/v1/auth/providers'), 200, { objectCalls: 1 })
  for (const _ of [1, 2]) {
    await expectAnswer(await post(`/auth/providers/${provider.entry.id}/start`), 200, { objectCalls: 2 })
  }
  await expectAnswer(await logInAs(provider, { sub: 'ada' }), 200, {
    trips: 10,
    rowsRead: 40,
    rowsWritten: 18,
    objectCalls: 6,
    bucketCalls: 1,
    queueMessages: 2,
  })
  const person = newPerson()
  await expectAnswer(await logInAs(provider, person), 403, { trips: 3, rowsRead: 6, rowsWritten: 3, objectCalls: 2 })
  await expectAnswer(await registerAs(provider, person, person.preferred_username!), 200, {
    trips: 8,
    directoryTrips: 7,
    rowsRead: 48,
    rowsWritten: 34,
    objectCalls: 6,
    bucketCalls: 3,
    queueMessages: 5,
  })
  const unverified = { ...newPerson(), email_verified: false }
  await expectAnswer(await registerAs(provider, unverified, unverified.preferred_username!), 403, {
    trips: 1,
    rowsRead: 26,
    rowsWritten: 18,
    objectCalls: 4,
    bucketCalls: 3,
    queueMessages: 2,
  })
  const link = { trips: 3, rowsRead: 20, rowsWritten: 12, objectCalls: 4, bucketCalls: 1, queueMessages: 2 }
  await expectAnswer(await finishAs(provider, { sub: 'another' }, ada.token), 204, link)
  const confirm = { trips: 5, rowsRead: 16, rowsWritten: 8, objectCalls: 4, bucketCalls: 1, queueMessages: 1 }
  await expectAnswer(await finishAs(provider, { sub: 'ada' }, ada.token, 'confirm'), 204, confirm)
  const listed = await call('GET', '/v1/me/providers', { token: ada.token })
  await expectAnswer(listed, 200, { trips: 1, rowsRead: 8, objectCalls: 1 })
  const { items } = await listed.json<{ items: { id: string }[] }>()
  const unlink = { trips: 3, rowsRead: 16, rowsWritten: 10, objectCalls: 2, bucketCalls: 1, queueMessages: 2 }
  await expectAnswer(await call('DELETE', `/v1/me/providers/${items[0]!.id}`, { token: ada.token }), 204, unlink)
})
