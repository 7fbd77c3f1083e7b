import { beforeAll, expect, test } from 'vitest'
import type { Cost } from '../src/platform/observability/cost.ts'
import type { AppWithSecret } from '../src/services/apps/views.ts'
import { type RegisteredUser, registeredUser, setRole } from './support/actors.ts'
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
  expectCost('edit', await by('PATCH', `/${id}`, change), 200, { trips: 3, rowsRead: 12, rowsWritten: 4, ...writes })
  const secret = { trips: 3, rowsRead: 14, rowsWritten: 9, ...writes, queueMessages: 2 }
  expectCost('secret', await by('POST', `/${id}/secret`), 200, secret)
  const moved = { redirectUris: ['https://b.example/cb'] }
  expectCost('edit redirects', await by('PATCH', `/${id}`, moved), 200, secret)
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
  expectCost('allow again', again, 200, { trips: 5, rowsRead: 20, rowsWritten: 8, ...writes, objectCalls: 1 })
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

test('disabling an app of a person and enabling it stay within their budgets', async () => {
  const mod = await registeredUser()
  await setRole(mod, 'moderator')
  await connect(ada, app)
  const path = `/v1/apps/${app.id}/disabled`
  const disabled = await mod.fetch(path, { method: 'PUT', json: { reason: 'Spam' } })
  const writes = { bucketCalls: 1, queueMessages: 2 }
  expectCost('disable', disabled, 204, {
    trips: 6,
    rowsRead: 60,
    rowsWritten: 40,
    objectCalls: 5,
    ...writes,
    queueMessages: 3,
  })
  const enabled = await mod.fetch(path, { method: 'DELETE' })
  expectCost('enable', enabled, 204, { trips: 4, rowsRead: 12, rowsWritten: 8, objectCalls: 2, ...writes })
})
