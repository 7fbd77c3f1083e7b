import { expect, test } from 'vitest'
import type { Cost } from '../src/platform/observability/cost.ts'
import { registeredUser, setRole } from './support/actors.ts'
import { type Budget, expectWithin } from './support/budgets.ts'
import { accountIdOf, inMode } from './support/modes.ts'

// Checks the budgets of invitations and approvals in docs/architecture.md.

async function expectAnswer(response: Response, status: number, budget: Budget): Promise<void> {
  expect(response.status).toBe(status)
  const cost: Cost = JSON.parse(response.headers.get('x-cost')!)
  expectWithin(`a response with ${status}`, cost, { directoryTrips: budget.trips ?? 0, ...budget })
}

test('invitations stay within their budgets', async () => {
  const { call, register } = inMode('invitation')
  const { token } = await registeredUser()
  await call('GET', '/v1/me/invitations', { token }) // reads the signing keys, once per isolate
  await expectAnswer(await call('GET', '/v1/auth/registration'), 200, { objectCalls: 1 })
  const create = { trips: 1, rowsRead: 14, rowsWritten: 6, objectCalls: 3, bucketCalls: 1, queueMessages: 1 }
  const created = await call('POST', '/v1/invitations', { token })
  await expectAnswer(created, 201, create)
  const { id, code } = await created.json<{ id: string; code: string }>()
  await expectAnswer(await call('GET', '/v1/me/invitations', { token }), 200, { trips: 1, rowsRead: 2, objectCalls: 1 })
  const registration = { trips: 1, rowsRead: 24, rowsWritten: 16, objectCalls: 4, bucketCalls: 2, queueMessages: 1 }
  await expectAnswer(await register('budget_invited', { invitation: code }), 202, registration)
  await expectAnswer(await register('budget_refused', { invitation: 'made up' }), 422, {
    ...registration,
    trips: 2, // the second is deferred: whether the key of the refused account is unused
    queueMessages: 0,
  })
  const revoke = { trips: 1, rowsRead: 4, rowsWritten: 5, objectCalls: 1 }
  await expectAnswer(await call('DELETE', `/v1/me/invitations/${id}`, { token }), 204, revoke)
})

test('approvals stay within their budgets', async () => {
  const { call, register, verify } = inMode('approval')
  const staff = await registeredUser()
  await setRole(staff, 'moderator')
  const { token } = staff
  const paths: string[] = []
  for (const handle of ['budget_approved', 'budget_rejected']) {
    await register(handle)
    await verify(handle)
    paths.push(`/v1/registrations/${await accountIdOf(handle)}`)
  }
  const list = { trips: 1, rowsRead: 8, objectCalls: 1 }
  await expectAnswer(await call('GET', '/v1/registrations', { token }), 200, list)
  const approve = {
    trips: 4,
    directoryTrips: 3,
    rowsRead: 20,
    rowsWritten: 13,
    objectCalls: 2,
    bucketCalls: 1,
    queueMessages: 3,
  }
  await expectAnswer(await call('PUT', `${paths[0]}/approval`, { token }), 204, approve)
  const reject = { trips: 2, rowsRead: 17, rowsWritten: 12, objectCalls: 2, bucketCalls: 1, queueMessages: 2 }
  await expectAnswer(await call('DELETE', paths[1]!, { token }), 204, reject)
})
