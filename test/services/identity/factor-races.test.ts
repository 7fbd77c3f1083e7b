import { expect, test } from 'vitest'
import { PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, outcomeOf } from '../../support/auth.ts'
import { softwareAuthenticator } from '../../support/authenticator.ts'
import { BASE_URL, postJson } from '../../support/client.ts'
import {
  addPasskey,
  addTotp,
  codeAt,
  firstStep,
  newPasskey,
  passkeyChallenge,
  post,
  secondStep,
  startPasskey,
} from '../../support/factors.ts'
import { inBetween } from '../../support/in-between.ts'
import { drained } from '../../support/outboxes.ts'
import { mailedResetToken, refusal, resetWith } from '../../support/recovery.ts'

const wrongChallenge = [422, [{ field: 'challenge', message: 'is wrong, expired or already used; start again' }]]
const countOf = (table: string, { id }: RegisteredUser) =>
  directoryNumber(`select count(*) n from ${table} where account_id = ?`, Number(id))
const started = async (user: RegisteredUser) => (await post(user, '/me/factors/totp')).json<{ secret: string }>()

test('no factor is added, removed or renewed for a login that a reset has ended before the change is stored', async () => {
  const [plain, other, protectedUser] = [await registeredUser(), await registeredUser(), await registeredUser()]
  const { recoveryCodes } = await addTotp(protectedUser)
  const { secret } = await started(plain)
  const confirm = { method: 'POST', json: { code: codeAt(secret) } }
  const add = { method: 'POST', json: await newPasskey(other.token) }
  const changes = [
    [plain, '/me/factors/totp/confirm', confirm],
    [other, '/me/passkeys', add],
    [protectedUser, '/me/factors/recovery-codes', { method: 'POST' }],
  ] as const
  for (const [user, path, request] of changes) {
    const reset = async () => expect((await resetWith(await mailedResetToken(user.id), PASSWORD)).status).toBe(200)
    const answer = await inBetween(0, reset, `/v1${path}`, { ...request, token: user.token })
    expect([path, ...(await outcomeOf(answer))]).toEqual([path, 401, 'unauthorized'])
  }
  expect(
    await directoryNumber(
      'select count(*) n from totp_factors where confirmed_at is not null and account_id = ?',
      Number(plain.id),
    ),
  ).toBe(0)
  expect([await countOf('passkeys', other), await countOf('recovery_codes', other)]).toEqual([0, 0])
  const { challenge } = await firstStep(protectedUser)
  expect((await secondStep(challenge, { recoveryCode: recoveryCodes[0] })).status).toBe(200)
})

test('a removal of a factor is refused if its login ends before it is stored', async () => {
  const user = await registeredUser()
  await addTotp(user)
  const logout = async () => expect((await user.fetch('/v1/auth/logout', { method: 'POST' })).status).toBe(204)
  const answer = await inBetween(0, logout, '/v1/me/factors/totp', { method: 'DELETE', token: user.token })
  expect(await outcomeOf(answer)).toEqual([401, 'unauthorized'])
  expect(await countOf('totp_factors', user)).toBe(1)
})

test('a factor comes with recovery codes if the last other one is removed just before it is stored', async () => {
  const user = await registeredUser()
  await addTotp(user)
  const { challenge, options } = await startPasskey(user)
  const passkey = await (await softwareAuthenticator(BASE_URL)).create(options)
  const remove = async () => expect((await user.fetch('/v1/me/factors/totp', { method: 'DELETE' })).status).toBe(204)
  const json = { challenge, name: 'My phone', passkey }
  const added = await inBetween(0, remove, '/v1/me/passkeys', { method: 'POST', json, token: user.token })
  expect(added.status).toBe(201)
  const { recoveryCodes } = await added.json<{ recoveryCodes: string[] }>()
  expect(recoveryCodes).toHaveLength(10)
  expect(await countOf('recovery_codes', user)).toBe(10)
  const { challenge: login } = await firstStep(user)
  expect((await secondStep(login, { recoveryCode: recoveryCodes[0] })).status).toBe(200)
})

test('a factor comes without recovery codes if another one is added just before it is stored, and keeps those', async () => {
  const user = await registeredUser()
  const { secret } = await started(user)
  let codes: string[] | null = null
  const add = async () => {
    codes = (await addPasskey(user)).recoveryCodes
  }
  const json = { code: codeAt(secret) }
  const path = '/v1/me/factors/totp/confirm'
  const confirmed = await inBetween(0, add, path, { method: 'POST', json, token: user.token })
  expect(await confirmed.json()).toEqual({ recoveryCodes: null })
  expect(codes).toHaveLength(10)
  expect(await countOf('recovery_codes', user)).toBe(10)
})

test('a repeated request with a passkey is refused as already used, and not audited as a copied passkey', async () => {
  const user = await registeredUser()
  const { device } = await addPasskey(user)
  const { challenge, options } = await passkeyChallenge()
  const body = { challenge, passkey: await device.get(options) }
  expect((await postJson('/v1/auth/passkey', body)).status).toBe(200)
  expect(await refusal(await postJson('/v1/auth/passkey', body))).toEqual(wrongChallenge)
  const waiting = await firstStep(user)
  const proof = { passkey: await device.get(waiting.passkey) }
  expect((await secondStep(waiting.challenge, proof)).status).toBe(200)
  expect(await refusal(await secondStep(waiting.challenge, proof))).toEqual(wrongChallenge)
  await drained()
  expect((await auditOf(user.id)).filter(({ action }) => action === 'passkey-refused')).toEqual([])
})
