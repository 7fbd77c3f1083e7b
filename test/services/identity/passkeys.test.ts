import { expect, test } from 'vitest'
import { registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryRow, logIn, outcomeOf, statusWith } from '../../support/auth.ts'
import { softwareAuthenticator } from '../../support/authenticator.ts'
import { BASE_URL, postJson } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import {
  addPasskey,
  firstStep,
  passkeyChallenge,
  passkeyLogin,
  post,
  secondStep,
  startPasskey,
  tokensOf,
} from '../../support/factors.ts'
import { drained } from '../../support/outboxes.ts'
import { mailedResetToken, refusal, resetWith } from '../../support/recovery.ts'

const clock = movableClock()
const wrongChallenge = [422, [{ field: 'challenge', message: 'is wrong, expired or already used; start again' }]]
const refused = [401, 'invalid_credentials']
const OTHER_ORIGIN = 'https://evil.example'

test('a passkey logs in without a name or password', async () => {
  const user = await registeredUser()
  const { device, recoveryCodes } = await addPasskey(user)
  expect(recoveryCodes).toHaveLength(10)
  const tokens = await tokensOf(await passkeyLogin(device))
  expect(tokens.account.id).toBe(user.id)
  expect(await statusWith(tokens.accessToken)).toBe(200)
  expect(await passkeysOf(user)).toMatchObject([{ name: 'My phone', lastUsedAt: expect.any(String) }])
})

const passkeysOf = async (user: Awaited<ReturnType<typeof registeredUser>>) =>
  (await (await user.fetch('/v1/me/passkeys')).json<{ items: { id: string; name: string }[] }>()).items

test('an assertion is refused for another origin, site or user, without user verification, and with a wrong signature', async () => {
  const user = await registeredUser()
  const { device } = await addPasskey(user)
  const flaws = [
    { origin: OTHER_ORIGIN },
    { rpId: 'evil.example' },
    { verifies: false },
    { challenge: 'AAAA' },
    { userHandle: 'MTIz' },
  ]
  for (const flaw of flaws) expect(await outcomeOf(await passkeyLogin(device, flaw))).toEqual(refused)
  const { challenge, options } = await passkeyChallenge()
  const [passkey, other] = [await device.get(options), await device.get(options)]
  const forged = { ...passkey, signature: other.signature }
  expect(await outcomeOf(await postJson('/v1/auth/passkey', { challenge, passkey: forged }))).toEqual(refused)
  const stranger = await softwareAuthenticator(BASE_URL)
  expect(await outcomeOf(await passkeyLogin(stranger, { userHandle: 'MTIz' }))).toEqual(refused)
})

test('a challenge for a passkey works once, in the client that asked for it, for five minutes', async () => {
  const user = await registeredUser()
  const { device } = await addPasskey(user)
  const { challenge, options } = await passkeyChallenge()
  const passkey = await device.get(options)
  const elsewhere = await passkeyChallenge()
  const logInWith = (token: string) => postJson('/v1/auth/passkey', { challenge: token, passkey })
  expect(await outcomeOf(await logInWith(elsewhere.challenge))).toEqual(refused)
  expect((await logInWith(challenge)).status).toBe(200)
  expect(await outcomeOf(await logInWith(challenge))).toEqual(refused) // the counter of the passkey has grown
  const late = await passkeyChallenge()
  const assertion = await device.get(late.options)
  clock.advance(5 * 60_000)
  const expired = await postJson('/v1/auth/passkey', { challenge: late.challenge, passkey: assertion })
  expect(await refusal(expired)).toEqual(wrongChallenge)
})

test('of concurrent logins with one assertion, one succeeds, also without a counter', async () => {
  const user = await registeredUser()
  const { device } = await addPasskey(user)
  await directoryRow('update passkeys set sign_count = 0 where account_id = ?', Number(user.id))
  const { challenge, options } = await passkeyChallenge()
  const passkey = await device.get(options, { count: 0 })
  const attempts = Array.from({ length: 3 }, () => postJson('/v1/auth/passkey', { challenge, passkey }))
  expect((await Promise.all(attempts)).map(({ status }) => status).toSorted()).toEqual([200, 422, 422])
})

test('a counter that goes back is refused and audited', async () => {
  const user = await registeredUser()
  const { device, id } = await addPasskey(user)
  expect((await passkeyLogin(device, { count: 7 })).status).toBe(200)
  for (const count of [7, 3, 0]) expect(await outcomeOf(await passkeyLogin(device, { count }))).toEqual(refused)
  expect((await passkeyLogin(device, { count: 8 })).status).toBe(200)
  await drained()
  const noted = (await auditOf(user.id)).filter(({ action }) => action === 'passkey-refused')
  expect(noted.map(({ detail }) => detail)).toEqual(Array(3).fill(JSON.stringify({ passkeyId: id })))
})

test('a passkey is a second factor too, for its own account only', async () => {
  const [ada, bob] = [await registeredUser(), await registeredUser()]
  const [ofAda, ofBob] = [await addPasskey(ada), await addPasskey(bob)]
  const { challenge, methods, passkey } = await firstStep(ada)
  expect(methods).toEqual(['recovery_code', 'passkey'])
  const byBob = { passkey: await ofBob.device.get(passkey) }
  expect(await outcomeOf(await secondStep(challenge, byBob))).toEqual(refused)
  const login = await passkeyChallenge()
  const wrongPurpose = { passkey: await ofAda.device.get(login.options) }
  expect(await outcomeOf(await secondStep(challenge, wrongPurpose))).toEqual(refused)
  expect((await secondStep(challenge, { passkey: await ofAda.device.get(passkey) })).status).toBe(200)
})

test('a passkey confirms a login, but only the one that asked for the challenge', async () => {
  const user = await registeredUser()
  const { device } = await addPasskey(user)
  const other = { ...user, ...(await tokensOf(await passkeyLogin(device))) }
  const { challenge, options } = await (await post(user, '/auth/confirm/challenge')).json<Confirmation>()
  const confirm = async (token: string) => {
    const json = { challenge, passkey: await device.get(options) }
    const headers = { authorization: `Bearer ${token}` }
    return user.fetch('/v1/auth/confirm', { method: 'POST', json, headers })
  }
  expect(await refusal(await confirm(other.accessToken))).toEqual(wrongChallenge)
  expect((await confirm(user.token)).status).toBe(204)
  expect(await refusal(await confirm(user.token))).toEqual(wrongChallenge)
})

type Confirmation = Awaited<ReturnType<typeof passkeyChallenge>>

test('a new passkey is refused for another origin, site, challenge or login, without user verification, and twice', async () => {
  const user = await registeredUser()
  const add = (challenge: string, passkey: object) => post(user, '/me/passkeys', { challenge, name: 'Key', passkey })
  const flaws = [{ origin: OTHER_ORIGIN }, { rpId: 'evil.example' }, { verifies: false }, { challenge: 'AAAA' }]
  const device = await softwareAuthenticator(BASE_URL)
  for (const flaw of flaws) {
    const { challenge, options } = await startPasskey(user)
    const [status, errors] = await refusal(await add(challenge, await device.create(options, flaw)))
    expect([status, errors]).toMatchObject([422, [{ field: 'passkey' }]])
  }
  const bobs = await startPasskey(await registeredUser())
  expect(await refusal(await add(bobs.challenge, await device.create(bobs.options)))).toEqual(wrongChallenge)
  const { challenge, options } = await startPasskey(user)
  const passkey = await device.create(options)
  expect((await add(challenge, passkey)).status).toBe(201)
  expect(await refusal(await add(challenge, passkey))).toEqual(wrongChallenge)
  const again = await startPasskey(user)
  expect((await add(again.challenge, await device.create(again.options))).status).toBe(422)
  expect(await passkeysOf(user)).toHaveLength(1)
})

test('a removed passkey no longer logs in, and only its owner can rename or remove it', async () => {
  const [user, other] = [await registeredUser(), await registeredUser()]
  const { device, id } = await addPasskey(user)
  const path = `/v1/me/passkeys/${id}`
  for (const method of ['PATCH', 'DELETE']) {
    const json = method === 'PATCH' ? { name: 'Mine' } : undefined
    expect((await other.fetch(path, { method, json })).status).toBe(404)
  }
  expect((await user.fetch(path, { method: 'PATCH', json: { name: 'Key ring' } })).status).toBe(200)
  expect((await passkeysOf(user)).map(({ name }) => name)).toEqual(['Key ring'])
  const waiting = await firstStep(user)
  expect((await user.fetch(path, { method: 'DELETE' })).status).toBe(204)
  expect(await outcomeOf(await passkeyLogin(device))).toEqual(refused)
  const late = { passkey: await device.get(waiting.passkey) }
  expect(await outcomeOf(await secondStep(waiting.challenge, late))).toEqual(refused)
  expect((await logIn(user.handle)).status).toBe(200)
})

test('a reset of the password leaves passkeys, and an account has at most 20', async () => {
  const user = await registeredUser()
  const { device } = await addPasskey(user)
  for (let i = 1; i < 20; i++) {
    const copied = `insert into passkeys select 'p' || ? || id, account_id, credential_id || ?, public_key, 0, sealed_name, 1, null from passkeys where account_id = ? limit 1`
    await directoryRow(copied, i, i, Number(user.id))
  }
  const { challenge, options } = await startPasskey(user)
  const passkey = await (await softwareAuthenticator(BASE_URL)).create(options)
  const more = await post(user, '/me/passkeys', { challenge, name: 'Key', passkey })
  expect(await outcomeOf(more)).toEqual([409, 'too_many_passkeys'])
  await resetWith(await mailedResetToken(user.id))
  expect((await passkeyLogin(device)).status).toBe(200)
})
