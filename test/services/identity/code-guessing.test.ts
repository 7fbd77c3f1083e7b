import { expect, test } from 'vitest'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { movableClock } from '../../support/clock.ts'
import { addTotp, codeAt, firstStep, STEP_MS, secondStep, tokensOf } from '../../support/factors.ts'
import { interceptMails } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { mailedResetToken, NEW_PASSWORD, resetWith } from '../../support/recovery.ts'

const clock = movableClock()
const HOUR_MS = 3_600_000
const { mailsTo } = interceptMails()

type From = { deviceToken?: string; password?: string }

async function guess(user: RegisteredUser, times: number, { deviceToken, password }: From = {}): Promise<void> {
  let challenge = ''
  for (let i = 0; i < times; i++) {
    if (i % 5 === 0) ({ challenge } = await firstStep(user, deviceToken, password))
    expect((await secondStep(challenge, { code: '000000' })).status).toBe(401)
  }
}

async function attempt(user: RegisteredUser, proof: object, { deviceToken, password }: From = {}): Promise<Response> {
  return secondStep((await firstStep(user, deviceToken, password)).challenge, proof)
}

test('after thirty wrong codes in a day, new devices need something else than a code, and known devices do not', async () => {
  const user = await registeredUser()
  const { secret, recoveryCodes } = await addTotp(user)
  for (let hour = 0; hour < 3; hour++) {
    await guess(user, 10)
    clock.advance(HOUR_MS)
  }
  expect((await attempt(user, { code: codeAt(secret) })).status).toBe(429)
  expect((await attempt(user, { code: codeAt(secret) }, { deviceToken: user.deviceToken })).status).toBe(200)
  expect((await attempt(user, { recoveryCode: recoveryCodes[0] })).status).toBe(200)
  clock.advance(21 * HOUR_MS)
  expect((await attempt(user, { code: codeAt(secret) })).status).toBe(200)
})

test('the device of a reset has no guesses of its own until somebody has logged in on it', async () => {
  const user = await registeredUser()
  const { secret } = await addTotp(user)
  await guess(user, 10)
  const reset = await resetWith(await mailedResetToken(user.id))
  const { deviceToken } = await reset.json<{ deviceToken: string }>()
  const from = { deviceToken, password: NEW_PASSWORD }
  expect((await attempt(user, { code: codeAt(secret) }, from)).status).toBe(429)
  clock.advance(HOUR_MS)
  const known = await tokensOf(await attempt(user, { code: codeAt(secret) }, from))
  await guess(user, 10, { password: NEW_PASSWORD })
  clock.advance(STEP_MS)
  const again = { deviceToken: known.deviceToken, password: NEW_PASSWORD }
  expect((await attempt(user, { code: codeAt(secret) }, again)).status).toBe(200)
})

test('the owner gets one mail a day about wrong codes, from the fifth on, whatever the device', async () => {
  const user = await registeredUser()
  await addTotp(user)
  const warnings = async () => {
    await delivered()
    const mails = mailsTo(`${user.handle}@example.com`)
    return mails.filter(({ subject }) => subject === 'Somebody fails at your second factor').length
  }
  await guess(user, 4)
  expect(await warnings()).toBe(0)
  await guess(user, 4, { deviceToken: user.deviceToken })
  expect(await warnings()).toBe(1)
  clock.advance(25 * HOUR_MS)
  await guess(user, 4)
  expect(await warnings()).toBe(1)
  await guess(user, 3)
  expect(await warnings()).toBe(2)
})
