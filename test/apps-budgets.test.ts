import { beforeAll, expect, test } from 'vitest'
import type { Cost } from '../src/platform/observability/cost.ts'
import type { AppWithSecret } from '../src/services/apps/views.ts'
import { type RegisteredUser, registeredUser } from './support/actors.ts'
import { type Budget, expectWithin } from './support/budgets.ts'
import {
  authorize,
  codeFor,
  connect,
  decide,
  exchange,
  post,
  proof,
  refreshAs,
  registeredApp,
  requestOf,
} from './support/oauth.ts'

// Checks the budgets of apps in docs/architecture.md. The costs include the queries of better-auth.

let ada: RegisteredUser
let app: AppWithSecret

beforeAll(async () => {
  ada = await registeredUser()
  app = await registeredApp(ada, 'confidential')
  await connect(ada, app) // reads the signing keys, and wakes the guards
})

function expectCost(
  name: string,
  response: Response,
  status: number,
  budget: Budget,
  inDirectory = budget.trips,
): void {
  expect([name, response.status]).toEqual([name, status])
  const cost: Cost = JSON.parse(response.headers.get('x-cost')!)
  expectWithin(name, cost, { ...budget, directoryTrips: inDirectory ?? 0 })
}

const json = { name: 'A', redirectUris: ['https://a.example/cb'], kind: 'public' }

test('a developer’s operations stay within their budgets', async () => {
  const by = (method: string, path: string, body?: object) => ada.fetch(`/v1/apps${path}`, { method, json: body })
  const writes = { objectCalls: 3, bucketCalls: 1, queueMessages: 1 }
  const made = await by('POST', '', json)
  expectCost('register', made, 201, { trips: 1, rowsRead: 12, rowsWritten: 8, ...writes })
  const { id } = await made.json<{ id: string }>()
  expectCost('list', await by('GET', ''), 200, { trips: 1, rowsRead: 4, objectCalls: 1 })
  const change = { name: 'B' }
  expectCost('edit', await by('PATCH', `/${id}`, change), 200, { trips: 2, rowsRead: 10, rowsWritten: 4, ...writes })
  expectCost('secret', await by('POST', `/${id}/secret`), 200, { trips: 2, rowsRead: 10, rowsWritten: 4, ...writes })
  expectCost('delete', await by('DELETE', `/${id}`), 204, {
    trips: 1,
    rowsRead: 12,
    rowsWritten: 6,
    ...writes,
    queueMessages: 2,
  })
})

test('allowing an app stays within its budget: the page, the first approval, and a repeated one', async () => {
  const request = requestOf(app, { scope: 'posts:read posts:write' })
  expectCost('authorize', await authorize(request), 303, { trips: 1, rowsRead: 4, objectCalls: 1 })
  const read = await ada.fetch(`/v1/oauth/authorizations?request=${encodeURIComponent(request)}`)
  expectCost('read request', read, 200, { trips: 2, rowsRead: 6, objectCalls: 1 })
  const first = await decide(ada, request)
  const writes = { objectCalls: 3, bucketCalls: 1, queueMessages: 1 }
  expectCost('allow', first, 200, { trips: 5, rowsRead: 30, rowsWritten: 12, ...writes, queueMessages: 2 })
  const again = await decide(ada, request, '/repeat')
  expectCost('allow again', again, 200, { trips: 4, rowsRead: 16, rowsWritten: 4, objectCalls: 1 })
})

test('the endpoints for apps stay within their budgets', async () => {
  const code = await codeFor(ada, app, { scope: 'posts:read openid offline_access' })
  const exchanged = await exchange(app, code)
  expectCost('exchange', exchanged, 200, { trips: 11, rowsRead: 40, rowsWritten: 16, objectCalls: 2 }, 10)
  const tokens = await exchanged.json<{ access_token: string; refresh_token: string }>()
  const refreshed = await refreshAs(app, tokens.refresh_token)
  expectCost('refresh', refreshed, 200, { trips: 10, rowsRead: 33, rowsWritten: 10, objectCalls: 2 }, 9)
  const inspected = await post('introspect', { ...proof(app), token: tokens.access_token })
  expectCost('introspect', inspected, 200, { trips: 3, rowsRead: 7, objectCalls: 1 }, 2)
  const revoked = await post('revoke', { ...proof(app), token: tokens.access_token })
  const ended = { rowsWritten: 12, objectCalls: 4, bucketCalls: 1, queueMessages: 1 }
  expectCost('revoke', revoked, 200, { trips: 2, rowsRead: 21, ...ended })
})

test('the apps that a person allowed are listed and removed within their budgets', async () => {
  await connect(ada, app)
  expectCost('list', await ada.fetch('/v1/me/apps'), 200, { trips: 1, rowsRead: 14, objectCalls: 1 })
  const removed = await ada.fetch(`/v1/me/apps/${app.id}`, { method: 'DELETE' })
  const ended = { rowsWritten: 30, objectCalls: 4, bucketCalls: 1, queueMessages: 1 }
  expectCost('remove', removed, 204, { trips: 2, rowsRead: 50, ...ended })
})
