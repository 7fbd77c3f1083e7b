import { beforeAll, expect, test } from 'vitest'
import type { Cost } from '../src/platform/observability/cost.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from './support/actors.ts'
import { logIn } from './support/auth.ts'
import { softwareAuthenticator } from './support/authenticator.ts'
import { type Budget, expectWithin } from './support/budgets.ts'
import { BASE_URL, postJson } from './support/client.ts'
import {
  addPasskey,
  addTotp,
  codeAt,
  firstStep,
  passkeyChallenge,
  passkeyLogin,
  post,
  STEP_MS,
  secondStep,
  startPasskey,
} from './support/factors.ts'
import { mailedFactorToken } from './support/recovery.ts'

// Checks the budgets of second factors in docs/architecture.md.

let user: RegisteredUser
let secret: string
let device: Awaited<ReturnType<typeof softwareAuthenticator>>

beforeAll(async () => {
  user = await registeredUser()
  ;({ secret } = await addTotp(user))
  ;({ device } = await addPasskey(user))
})

function expectCost(response: Response, status: number, budget: Budget): void {
  expect(response.status).toBe(status)
  const cost: Cost = JSON.parse(response.headers.get('x-cost')!)
  expectWithin(`a response with ${status}`, cost, { ...budget, directoryTrips: budget.trips ?? 0 })
}

test('both steps of a login, and a login with a passkey, stay within their budgets', async () => {
  expectCost(await logIn(user.handle), 401, { trips: 2, rowsRead: 14, objectCalls: 7 })
  const { challenge } = await firstStep(user)
  expectCost(await secondStep(challenge, { code: '000000' }), 401, {
    trips: 3,
    rowsRead: 12,
    rowsWritten: 1,
    objectCalls: 8,
    bucketCalls: 1,
    queueMessages: 1,
  })
  expectCost(await secondStep(challenge, { code: codeAt(secret) }), 200, {
    trips: 9,
    rowsRead: 40,
    rowsWritten: 20,
    objectCalls: 9,
    bucketCalls: 1,
    queueMessages: 2,
  })
  expectCost(await secondStep(challenge, { code: codeAt(secret, Date.now() + STEP_MS) }), 422, {
    trips: 3,
    rowsRead: 8,
    objectCalls: 9,
    bucketCalls: 1,
  })
  expectCost(await postJson('/v1/auth/passkey/challenge', {}), 200, { objectCalls: 2 })
  expectCost(await passkeyLogin(device), 200, {
    trips: 9,
    rowsRead: 42,
    rowsWritten: 20,
    objectCalls: 4,
    bucketCalls: 1,
    queueMessages: 2,
  })
  const { challenge: other, options } = await passkeyChallenge()
  const stranger = await softwareAuthenticator(BASE_URL)
  const passkey = await stranger.get(options, { userHandle: 'MQ' })
  expectCost(await postJson('/v1/auth/passkey', { challenge: other, passkey }), 401, {
    trips: 1,
    rowsRead: 1,
    objectCalls: 2,
  })
})

test('confirming a login stays within its budget', async () => {
  const code = codeAt(secret, Date.now() + STEP_MS)
  expectCost(await post(user, '/auth/confirm', { password: PASSWORD, code }), 204, {
    trips: 3,
    rowsRead: 14,
    rowsWritten: 4,
    objectCalls: 4,
    bucketCalls: 1,
    queueMessages: 1,
  })
  expectCost(await post(user, '/auth/confirm/challenge'), 200, { objectCalls: 1 })
})

test('reading, adding and removing second factors stays within its budget', async () => {
  const ada = await registeredUser()
  expectCost(await ada.fetch('/v1/me/factors'), 200, { trips: 1, rowsRead: 4, objectCalls: 1 })
  const started = await post(ada, '/me/factors/totp')
  expectCost(started, 200, { trips: 3, rowsRead: 7, rowsWritten: 1, objectCalls: 1, bucketCalls: 1 })
  const code = codeAt((await started.json<{ secret: string }>()).secret)
  expectCost(await post(ada, '/me/factors/totp/confirm', { code }), 200, {
    trips: 4,
    rowsRead: 30,
    rowsWritten: 18,
    objectCalls: 4,
    bucketCalls: 1,
    queueMessages: 2,
  })
  expectCost(await post(ada, '/me/factors/recovery-codes'), 200, {
    trips: 2,
    rowsRead: 45,
    rowsWritten: 28,
    objectCalls: 1,
    bucketCalls: 1,
    queueMessages: 2,
  })
  expectCost(await post(ada, '/me/passkey-challenge'), 200, { trips: 2, rowsRead: 4, objectCalls: 1 })
  const { challenge, options } = await startPasskey(ada)
  const passkey = await (await softwareAuthenticator(BASE_URL)).create(options)
  const added = await post(ada, '/me/passkeys', { challenge, name: 'Key', passkey })
  expectCost(added, 201, { trips: 3, rowsRead: 18, rowsWritten: 12, objectCalls: 1, bucketCalls: 1, queueMessages: 2 })
  const path = `/v1/me/passkeys/${(await added.json<{ id: string }>()).id}`
  expectCost(await ada.fetch('/v1/me/passkeys'), 200, { trips: 1, rowsRead: 3, objectCalls: 1, bucketCalls: 1 })
  expectCost(await ada.fetch(path, { method: 'PATCH', json: { name: 'Ring' } }), 200, {
    trips: 1,
    rowsRead: 3,
    rowsWritten: 2,
    objectCalls: 1,
    bucketCalls: 1,
  })
  expectCost(await ada.fetch(path, { method: 'DELETE' }), 204, {
    trips: 2,
    rowsRead: 26,
    rowsWritten: 12,
    objectCalls: 1,
    bucketCalls: 1,
    queueMessages: 2,
  })
  expectCost(await ada.fetch('/v1/me/factors/totp', { method: 'DELETE' }), 204, {
    trips: 2,
    rowsRead: 45,
    rowsWritten: 24,
    objectCalls: 1,
    bucketCalls: 1,
    queueMessages: 2,
  })
})

test('undoing a new second factor stays within its budget', async () => {
  const robbed = await registeredUser()
  const { id } = await addPasskey(robbed)
  const token = await mailedFactorToken(robbed.id, id)
  const budget = { trips: 5, rowsRead: 60, rowsWritten: 40, objectCalls: 5, bucketCalls: 1, queueMessages: 3 }
  expectCost(await postJson('/v1/auth/factors/undo', { token }), 204, budget)
})
