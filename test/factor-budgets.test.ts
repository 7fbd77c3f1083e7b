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
  expectCost(await logIn(user.handle), 401, {})
  const { challenge } = await firstStep(user)
  expectCost(await secondStep(challenge, { code: '000000' }), 401, {})
  expectCost(await secondStep(challenge, { code: codeAt(secret) }), 200, {})
  expectCost(await secondStep(challenge, { code: codeAt(secret, Date.now() + STEP_MS) }), 422, {})
  expectCost(await postJson('/v1/auth/passkey/challenge', {}), 200, {})
  expectCost(await passkeyLogin(device), 200, {})
  const { challenge: other, options } = await passkeyChallenge()
  const stranger = await softwareAuthenticator(BASE_URL)
  const passkey = await stranger.get(options, { userHandle: 'MQ' })
  expectCost(await postJson('/v1/auth/passkey', { challenge: other, passkey }), 401, {})
})

test('confirming a login stays within its budget', async () => {
  const code = codeAt(secret, Date.now() + STEP_MS)
  expectCost(await post(user, '/auth/confirm', { password: PASSWORD, code }), 204, {})
  expectCost(await post(user, '/auth/confirm/challenge'), 200, {})
})

test('reading, adding and removing second factors stays within its budget', async () => {
  const ada = await registeredUser()
  expectCost(await ada.fetch('/v1/me/factors'), 200, {})
  const started = await post(ada, '/me/factors/totp')
  expectCost(started, 200, {})
  const code = codeAt((await started.json<{ secret: string }>()).secret)
  expectCost(await post(ada, '/me/factors/totp/confirm', { code }), 200, {})
  expectCost(await post(ada, '/me/factors/recovery-codes'), 200, {})
  expectCost(await post(ada, '/me/passkey-challenge'), 200, {})
  const { challenge, options } = await startPasskey(ada)
  const passkey = await (await softwareAuthenticator(BASE_URL)).create(options)
  const added = await post(ada, '/me/passkeys', { challenge, name: 'Key', passkey })
  expectCost(added, 201, {})
  const path = `/v1/me/passkeys/${(await added.json<{ id: string }>()).id}`
  expectCost(await ada.fetch('/v1/me/passkeys'), 200, {})
  expectCost(await ada.fetch(path, { method: 'PATCH', json: { name: 'Ring' } }), 200, {})
  expectCost(await ada.fetch(path, { method: 'DELETE' }), 204, {})
  expectCost(await ada.fetch('/v1/me/factors/totp', { method: 'DELETE' }), 204, {})
})
