import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import { mailRegistration } from '../../../src/services/identity/registration-mail.ts'
import { directoryNumber, directoryRow, register } from '../../support/auth.ts'
import { BASE_URL } from '../../support/client.ts'
import { interceptMails, tokenIn } from '../../support/mails.ts'
import { until } from '../../support/until.ts'

const { send, mailsTo, nthMailTo } = interceptMails()
beforeEach(() => {
  send.mockClear()
})

const accountIdOf = async (handle: string) =>
  toId(await directoryNumber('select account_id n from handles where handle = ?', handle))

/** Repeats the task that sends the email of a registration. */
async function mailAgain(handle: string): Promise<void> {
  await mailRegistration(createContext({ env, waitUntil: () => {} }), { accountId: await accountIdOf(handle) })
}

test('registering sends one email, to the given address, with a verification link and the token as text', async () => {
  await register('bea')
  const mail = await nthMailTo('bea@example.com', 1)
  const token = tokenIn(mail)
  expect(mail).toMatchObject({ from: { name: 'SocialConnect' }, subject: 'Verify your address' })
  expect(mail.text).toContain(`${BASE_URL}/?verify=${token}`)
  expect(mail.html).toContain(`<a href="${BASE_URL}/?verify=${token}">`)
  expect(send).toHaveBeenCalledTimes(1)
})

test('running the email task of a registration ten more times sends no second email', async () => {
  await register('cleo')
  await nthMailTo('cleo@example.com', 1)
  for (let i = 0; i < 10; i++) await mailAgain('cleo')
  expect(mailsTo('cleo@example.com')).toHaveLength(1)
})

test('a registration email that failed to send is sent by the next run of its task', async () => {
  send.mockRejectedValueOnce(new Error('the mail server is down'))
  await register('dora')
  await nthMailTo('dora@example.com', 1)
  await mailAgain('dora')
  expect(mailsTo('dora@example.com')).toHaveLength(2)
})

test('a registration email that the provider rejects permanently is not retried', async () => {
  send.mockRejectedValueOnce(Object.assign(new Error('suppressed'), { code: 'E_RECIPIENT_SUPPRESSED' }))
  await register('dot')
  const mailed = () => directoryRow('select account_id from handles where handle = ? and mailed_at > 0', 'dot')
  await until(mailed)
  await mailAgain('dot')
  expect(mailsTo('dot@example.com')).toHaveLength(1)
})

test('a failed registration email is logged with its error code and without the email address', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const lines = () => log.mock.calls.map(([line]) => String(line))
  const reason = '550 no room for <dave@example.com>'
  const error = Object.assign(new Error(reason, { cause: new Error(reason) }), { code: 'E_DELIVERY_FAILED' })
  send.mockRejectedValueOnce(error)
  await register('dave')
  const failed = () => lines().find((line) => line.includes('"a task will be retried"'))
  expect(await until(failed)).toContain('E_DELIVERY_FAILED')
  expect(lines().filter((line) => line.includes('dave@'))).toEqual([])
  log.mockRestore()
})
