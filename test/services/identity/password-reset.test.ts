import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { resendOverdue } from '../../../src/services/identity/mails.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import {
  directoryNumber,
  loggedIn,
  logIn,
  outcomeOf,
  refreshWith,
  register,
  socketWith,
  statusWith,
  verify,
} from '../../support/auth.ts'
import { BASE_URL } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { fingerprint, fingerprintWithoutAudit } from '../../support/fingerprint.ts'
import { interceptMails, tokenIn } from '../../support/mails.ts'
import { delivered, drained } from '../../support/outboxes.ts'
import { badToken, forgot, mailedResetToken, NEW_PASSWORD, refusal, resend, resetWith } from '../../support/recovery.ts'
import { until } from '../../support/until.ts'

const { send, mailsTo, nthMailTo } = interceptMails()
const clock = movableClock()
const MINUTE_MS = 60_000

beforeEach(() => {
  send.mockClear()
})

test('the link in the reset email sets a new password, ends every login and starts none', async () => {
  const ada = await registeredUser('ada_reset')
  const other = await loggedIn(ada)
  const { closed } = await socketWith(other.accessToken)
  expect([(await forgot('@ADA_reset')).status, (await forgot('nobody_reset')).status]).toEqual([202, 202])
  const mail = await nthMailTo('ada_reset@example.com', 1)
  const token = tokenIn(mail)
  expect(mail).toMatchObject({ subject: 'Reset your password' })
  expect(mail.text).toBe(
    [
      'Someone, perhaps you, asked to reset the password of @ada_reset. Open this link within 30 minutes and choose a new password:',
      `${BASE_URL}/?reset=${token}`,
      `Or paste this token: ${token}`,
      'If it was not you, ignore this email: your password stays as it is.',
    ].join('\n\n'),
  )
  const reset = await resetWith(token)
  expect([reset.status, await reset.json()]).toEqual([200, { deviceToken: expect.any(String) }])
  expect(await outcomeOf(await logIn('ada_reset', PASSWORD))).toEqual([401, 'invalid_credentials'])
  expect((await logIn('ada_reset', NEW_PASSWORD)).status).toBe(200)
  for (const refreshToken of [ada.refreshToken, other.refreshToken]) {
    expect((await refreshWith(refreshToken)).status).toBe(401)
  }
  clock.advance(LEASE_MS)
  for (const accessToken of [ada.token, other.accessToken]) expect(await statusWith(accessToken)).toBe(401)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  expect((await nthMailTo('ada_reset@example.com', 2)).text).toBe(
    [
      'The password of @ada_reset was reset with a link from an email to this address, and every login was ended.',
      'If it was not you, someone else reads your email. Change the password of your email account first. Then choose “Forgot password” on the page where you log in:',
      BASE_URL,
    ].join('\n\n'),
  )
})

test('of fifty concurrent resets with one token, one succeeds, and the person gets one notice', async () => {
  const bob = await registeredUser('bob_reset')
  const token = await mailedResetToken(bob.id)
  const passwords = Array.from({ length: 50 }, (_, i) => `${NEW_PASSWORD} number ${i}`)
  const statuses = await Promise.all(passwords.map(async (password) => (await resetWith(token, password)).status))
  expect(statuses.toSorted()).toEqual([200, ...Array(49).fill(422)])
  expect((await logIn('bob_reset', passwords[statuses.indexOf(200)]!)).status).toBe(200)
  await delivered()
  expect(mailsTo('bob_reset@example.com').map(({ subject }) => subject)).toEqual(['Your password was reset'])
})

test('tokens that are altered, used, expired, or of another account, address or password change nothing', async () => {
  const [cleo, dan] = [await registeredUser('cleo_reset'), await registeredUser('dan_reset')]
  const token = await mailedResetToken(cleo.id)
  const [account, until, signature] = token.split('.')
  const altered = [
    `${dan.id}.${until}.${signature}`,
    `${account}.${Number(until) + 1}.${signature}`,
    `${token}x`,
    'x',
    '..',
  ]
  await delivered()
  const before = await fingerprint()
  for (const wrong of [...altered, `${account}.${until}`, `${token}.${signature}`]) {
    expect([wrong, ...(await refusal(await resetWith(wrong)))]).toEqual([wrong, ...badToken])
  }
  expect(await fingerprint()).toEqual(before)
  clock.advance(30 * MINUTE_MS + 1)
  expect(await refusal(await resetWith(token))).toEqual(badToken)

  const [first, second] = [await mailedResetToken(cleo.id), await mailedResetToken(cleo.id)]
  expect((await resetWith(first)).status).toBe(200)
  for (const used of [first, second]) expect(await refusal(await resetWith(used))).toEqual(badToken)
  const beforeMove = await mailedResetToken(dan.id)
  await env.DIRECTORY.prepare("update users set email = 'elsewhere' where id = ?").bind(Number(dan.id)).run()
  expect(await refusal(await resetWith(beforeMove))).toEqual(badToken)
})

test('a weak password is refused, and the token still works afterwards', async () => {
  const eve = await registeredUser('eve_reset')
  const token = await mailedResetToken(eve.id)
  for (const weak of ['short', 'passwordpassword', 'my name is eve_reset']) {
    expect(await refusal(await resetWith(token, weak))).toMatchObject([422, [{ field: 'password' }]])
  }
  expect((await resetWith(token)).status).toBe(200)
})

test('an account gets one reset email a minute and five an hour, and every request is accepted', async () => {
  await registeredUser('fay_reset')
  const requestAfter = async (ms: number) => {
    clock.advance(ms)
    expect((await forgot('fay_reset@example.com')).status).toBe(202)
    await delivered()
    return mailsTo('fay_reset@example.com').length
  }
  expect([await requestAfter(0), await requestAfter(0), await requestAfter(MINUTE_MS + 1)]).toEqual([1, 1, 2])
  const minutely = []
  for (let i = 0; i < 4; i++) minutely.push(await requestAfter(MINUTE_MS + 1))
  expect(minutely).toEqual([3, 4, 5, 5])
  expect(await requestAfter(60 * MINUTE_MS)).toBe(6)
})

test('an unverified account gets no reset email, and resending its verification does not need the password', async () => {
  await register('gus_reset')
  const first = tokenIn(await nthMailTo('gus_reset@example.com', 1))
  expect((await forgot('gus_reset')).status).toBe(202)
  clock.advance(50 * MINUTE_MS)
  expect((await resend('GUS_reset@example.com')).status).toBe(202)
  await delivered()
  expect(mailsTo('gus_reset@example.com').map(({ subject }) => subject)).toEqual(Array(2).fill('Verify your address'))
  clock.advance(50 * MINUTE_MS)
  expect((await verify(first)).status).toBe(422)
  expect((await verify(tokenIn(mailsTo('gus_reset@example.com')[1]!))).status).toBe(200)
  expect((await resend('gus_reset@example.com')).status).toBe(202)
  await delivered()
  expect(mailsTo('gus_reset@example.com').at(-1)?.text).toBe(
    [
      'Someone, perhaps you, asked for another verification email. Your address is verified, and your handle is @gus_reset. Log in here:',
      BASE_URL,
      'If it was not you, you can ignore this email.',
    ].join('\n\n'),
  )
})

test('while the email service is down, a request is accepted and its email is sent hours later', async () => {
  await registeredUser('hal_reset')
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  send.mockRejectedValue(new Error('the email service is down'))
  expect((await forgot('hal_reset')).status).toBe(202)
  await until(() => send.mock.calls.length > 0)
  clock.advance(3 * 60 * MINUTE_MS)
  send.mockReset().mockResolvedValue({ messageId: 'sent' })
  await resendOverdue(createContext({ env, waitUntil: () => {} }))
  const token = tokenIn(await nthMailTo('hal_reset@example.com', 1))
  expect((await resetWith(token)).status).toBe(200)
  log.mockRestore()
})

const change = (by: RegisteredUser, currentPassword = PASSWORD, password = NEW_PASSWORD): Promise<Response> =>
  by.fetch('/v1/auth/password', { method: 'PUT', json: { currentPassword, password } })

test('changing the password ends every other login, and this one goes on with new tokens', async () => {
  const ivy = await registeredUser('ivy_change')
  const other = await loggedIn(ivy)
  const response = await change(ivy)
  expect(response.status).toBe(200)
  const tokens = await response.json<{ accessToken: string; refreshToken: string }>()
  expect((await refreshWith(other.refreshToken)).status).toBe(401)
  clock.advance(LEASE_MS)
  expect([await statusWith(other.accessToken), await statusWith(ivy.token)]).toEqual([401, 401])
  expect(await statusWith(tokens.accessToken)).toBe(200)
  expect((await refreshWith(tokens.refreshToken)).status).toBe(200)
  expect(await directoryNumber('select count(*) n from sessions where user_id = ?', Number(ivy.id))).toBe(1)
  expect((await logIn('ivy_change', NEW_PASSWORD)).status).toBe(200)
  expect((await nthMailTo('ivy_change@example.com', 1)).text).toBe(
    [
      'The password of @ivy_change was changed, and every other login was ended.',
      'If it was not you, reset your password at once: choose “Forgot password” on the page where you log in.',
      BASE_URL,
    ].join('\n\n'),
  )
})

test('a wrong current password and a weak new one change nothing but the audit log', async () => {
  const jon = await registeredUser('jon_change')
  await delivered()
  const before = await fingerprintWithoutAudit()
  expect(await outcomeOf(await change(jon, 'not the password of jon'))).toEqual([401, 'invalid_credentials'])
  expect(await refusal(await change(jon, PASSWORD, 'passwordpassword'))).toMatchObject([422, [{ field: 'password' }]])
  await drained()
  expect(await fingerprintWithoutAudit()).toEqual(before)
  expect((await refreshWith(jon.refreshToken)).status).toBe(200)
})

test('of ten concurrent changes of a password, one succeeds', async () => {
  const kim = await registeredUser('kim_change')
  const passwords = Array.from({ length: 9 }, (_, i) => `${NEW_PASSWORD} number ${i}`)
  const statuses = await Promise.all(passwords.map(async (password) => (await change(kim, PASSWORD, password)).status))
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  expect((await logIn('kim_change', passwords[statuses.indexOf(200)]!)).status).toBe(200)
})

test('events of a reset contain what the client revealed, encrypted for the account', async () => {
  const lea = await registeredUser('lea_reset')
  vi.spyOn(env.EVENTS, 'sendBatch').mockResolvedValue(undefined as never)
  await resetWith(await mailedResetToken(lea.id))
  const row = await env.DIRECTORY.prepare("select data from outbox where type = 'identity.password-reset'").first<{
    data: string
  }>()
  const data = JSON.parse(row!.data)
  expect(data).toEqual({ accountId: lea.id, client: expect.stringMatching(/^a\.[\w-]+$/) })
  vi.mocked(env.EVENTS.sendBatch).mockRestore()
})
