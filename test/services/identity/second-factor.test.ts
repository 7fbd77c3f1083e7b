import { expect, test } from 'vitest'
import { stepOf } from '../../../src/services/identity/factors/totp-codes.ts'
import { PASSWORD, registeredUser } from '../../support/actors.ts'
import { directoryNumber, logIn, outcomeOf, statusWith } from '../../support/auth.ts'
import { postJson } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { addTotp, codeAt, firstStep, post, STEP_MS, secondStep, tokensOf } from '../../support/factors.ts'
import { mailedResetToken, NEW_PASSWORD, refusal, resetWith } from '../../support/recovery.ts'

const clock = movableClock()
const wrongChallenge = [422, [{ field: 'challenge', message: 'is wrong, expired or already used; start again' }]]
/** The next code, because the last one was used. */
const nextCode = (secret: string) => {
  clock.advance(STEP_MS)
  return codeAt(secret)
}

test('codes are those of RFC 6238, appendix B, one step early or late too', async () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' // 12345678901234567890
  const vectors = [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ] as const
  for (const [seconds, eight] of vectors) {
    const code = eight.slice(2) // the six last digits of eight are the code of six
    const step = Math.floor(seconds / 30)
    for (const shift of [-30, 0, 30]) expect(await stepOf(secret, code, (seconds + shift) * 1_000)).toBe(step)
    for (const shift of [-90, 90]) expect(await stepOf(secret, code, (seconds + shift) * 1_000)).toBeNull()
  }
})

test('a login needs a code too, which works once, and the challenge works once', async () => {
  const user = await registeredUser()
  const { secret } = await addTotp(user)
  const { challenge, methods } = await firstStep(user)
  expect(methods).toEqual(['code', 'recovery_code'])
  const code = codeAt(secret)
  expect(await outcomeOf(await secondStep(challenge, { code: '000000' }))).toEqual([401, 'invalid_credentials'])
  const tokens = await tokensOf(await secondStep(challenge, { code }))
  expect(await statusWith(tokens.accessToken)).toBe(200)
  expect(await refusal(await secondStep(challenge, { code: nextCode(secret) }))).toEqual(wrongChallenge)
  const again = await firstStep(user)
  const used = codeAt(secret, Date.now() - STEP_MS)
  expect(used).toBe(code)
  expect(await outcomeOf(await secondStep(again.challenge, { code: used }))).toEqual([401, 'invalid_credentials'])
})

test('of concurrent logins with one code, and of concurrent uses of one challenge, one succeeds', async () => {
  const user = await registeredUser()
  const { secret, recoveryCodes } = await addTotp(user)
  const statusesOf = async (responses: Promise<Response>[]) =>
    (await Promise.all(responses)).map(({ status }) => status).toSorted()
  const challenges = [await firstStep(user), await firstStep(user), await firstStep(user)]
  const code = codeAt(secret)
  expect(await statusesOf(challenges.map(({ challenge }) => secondStep(challenge, { code })))).toEqual([200, 401, 401])
  const { challenge } = await firstStep(user)
  const proofs = recoveryCodes.slice(0, 3).map((recoveryCode) => ({ recoveryCode }))
  expect(await statusesOf(proofs.map((proof) => secondStep(challenge, proof)))).toEqual([200, 422, 422])
  expect(await directoryNumber('select count(*) n from recovery_codes where account_id = ?', Number(user.id))).toBe(9)
})

test('a recovery code works once, however it is typed, and new codes replace it', async () => {
  const user = await registeredUser()
  const { recoveryCodes } = await addTotp(user)
  expect(new Set(recoveryCodes).size).toBe(10)
  const [first = '', second = ''] = recoveryCodes
  const typed = ` ${first.toUpperCase().replace('-', ' ')}`
  await tokensOf(await secondStep((await firstStep(user)).challenge, { recoveryCode: typed }))
  const again = await secondStep((await firstStep(user)).challenge, { recoveryCode: first })
  expect(await outcomeOf(again)).toEqual([401, 'invalid_credentials'])
  const { recoveryCodes: renewed } = await (await post(user, '/me/factors/recovery-codes')).json<{
    recoveryCodes: string[]
  }>()
  const { challenge } = await firstStep(user)
  expect((await secondStep(challenge, { recoveryCode: second })).status).toBe(401)
  expect((await secondStep(challenge, { recoveryCode: renewed[0] })).status).toBe(200)
})

test('a challenge is refused if it is forged, expired, for another purpose, or older than a reset', async () => {
  const user = await registeredUser()
  const { secret, recoveryCodes } = await addTotp(user)
  const { challenge } = await firstStep(user)
  const proof = { recoveryCode: recoveryCodes[0] }
  const other = await registeredUser()
  const login = await (await postJson('/v1/auth/passkey/challenge', {})).json<{ challenge?: string }>()
  const confirmation = await (await post(user, '/auth/confirm/challenge')).json<{ challenge: string }>()
  const forged = challenge.replace(user.id, other.id)
  for (const wrong of [forged, `${challenge}x`, 'x', login.challenge ?? '', confirmation.challenge]) {
    expect(await refusal(await secondStep(wrong, proof))).toEqual(wrongChallenge)
  }
  const late = (await firstStep(user)).challenge
  await resetWith(await mailedResetToken(user.id))
  expect(await refusal(await secondStep(late, proof))).toEqual(wrongChallenge)
  const current = await firstStep(user, undefined, NEW_PASSWORD)
  clock.advance(5 * 60_000)
  expect(await refusal(await secondStep(current.challenge, { code: codeAt(secret) }))).toEqual(wrongChallenge)
  expect(await directoryNumber('select count(*) n from recovery_codes where account_id = ?', Number(user.id))).toBe(10)
})

test('the codes of another account are refused', async () => {
  const [ada, bob] = [await registeredUser(), await registeredUser()]
  const [ofAda, ofBob] = [await addTotp(ada), await addTotp(bob)]
  const { challenge } = await firstStep(ada)
  expect((await secondStep(challenge, { code: codeAt(ofBob.secret) })).status).toBe(401)
  expect((await secondStep(challenge, { recoveryCode: ofBob.recoveryCodes[0] })).status).toBe(401)
  expect((await secondStep(challenge, { code: codeAt(ofAda.secret) })).status).toBe(200)
})

test('the second factor is revealed only after the right password, and a reset does not bypass it', async () => {
  const user = await registeredUser()
  await addTotp(user)
  const answers = [await logIn(user.handle, 'a wrong password of theirs'), await logIn('nobody_at_all_here')]
  for (const answer of answers) expect(await outcomeOf(answer)).toEqual([401, 'invalid_credentials'])
  await resetWith(await mailedResetToken(user.id))
  expect((await firstStep(user, undefined, NEW_PASSWORD)).methods).toContain('code')
})

test('guesses of codes are limited, and use up neither the first step nor the attempts on a known device', async () => {
  const user = await registeredUser()
  const { secret } = await addTotp(user)
  const wrong = async (challenge: string, times: number) => {
    for (let i = 0; i < times; i++) expect((await secondStep(challenge, { code: '000000' })).status).toBe(401)
  }
  const { challenge } = await firstStep(user)
  await wrong(challenge, 5)
  expect((await secondStep(challenge, { code: codeAt(secret) })).status).toBe(429)
  await wrong((await firstStep(user)).challenge, 5)
  const { challenge: eleventh } = await firstStep(user)
  expect((await secondStep(eleventh, { code: codeAt(secret) })).status).toBe(429)
  const { challenge: known } = await firstStep(user, user.deviceToken)
  expect((await secondStep(known, { code: codeAt(secret) })).status).toBe(200)
})

test('a login with a second factor cancels a deletion, the first step alone does not', async () => {
  const user = await registeredUser()
  const { secret } = await addTotp(user)
  expect((await user.fetch('/v1/me', { method: 'DELETE' })).status).toBe(202)
  const pending = () => directoryNumber('select count(*) n from deletions where account_id = ?', Number(user.id))
  const { challenge } = await firstStep(user)
  expect(await pending()).toBe(1)
  expect((await tokensOf(await secondStep(challenge, { code: codeAt(secret) }))).deletionCancelled).toBe(true)
  expect(await pending()).toBe(0)
})

test('a login is confirmed by the password and a code, and by neither alone', async () => {
  const user = await registeredUser()
  const { secret, recoveryCodes } = await addTotp(user)
  const confirm = (proof: object) => post(user, '/auth/confirm', proof)
  expect((await confirm({ password: PASSWORD })).status).toBe(422)
  expect((await confirm({ code: codeAt(secret) })).status).toBe(422)
  expect((await confirm({ password: `${PASSWORD}!`, code: codeAt(secret) })).status).toBe(401)
  expect((await confirm({ password: PASSWORD, code: '000000' })).status).toBe(401)
  expect((await confirm({ password: PASSWORD, code: codeAt(secret) })).status).toBe(204)
  expect((await confirm({ password: PASSWORD, code: codeAt(secret) })).status).toBe(401)
  expect((await confirm({ password: PASSWORD, recoveryCode: recoveryCodes[0] })).status).toBe(204)
})
