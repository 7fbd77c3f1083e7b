import { beforeEach, expect, test } from 'vitest'
import { openEmail } from '../../../src/services/identity/email.ts'
import { readPerson } from '../../../src/services/identity/people.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import {
  directoryNumber,
  directoryRow,
  loggedIn,
  logIn,
  outcomeOf,
  refreshWith,
  register,
  statusWith,
  verify,
} from '../../support/auth.ts'
import { BASE_URL } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { interceptMails, tokenIn } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'
import {
  badToken,
  changeAddress,
  confirmAddress,
  forgot,
  mailedAddressToken,
  mailedResetToken,
  mailedUndoToken,
  NEW_PASSWORD,
  refusal,
  resetWith,
  undoAddress,
} from '../../support/recovery.ts'
import { until } from '../../support/until.ts'

const { send, mailsTo, nthMailTo, registrationsTo } = interceptMails()
const clock = movableClock()
const HOUR_MS = 3_600_000

beforeEach(() => {
  send.mockClear()
})

type Identity = { email: string; pendingEmail: string | null }
const identityOf = async (user: RegisteredUser): Promise<Identity> => {
  const { email, pendingEmail } = await (await user.fetch('/v1/me/identity')).json<Identity>()
  return { email, pendingEmail }
}

async function addressOf({ id }: RegisteredUser): Promise<string | null> {
  const ctx = contextWith()
  const person = await readPerson(ctx, id)
  return openEmail(ctx, id, person!.sealedAddress)
}

async function move(user: RegisteredUser, email: string): Promise<void> {
  expect((await changeAddress(user, email)).status).toBe(202)
  expect((await confirmAddress(await mailedAddressToken(user.id, email))).status).toBe(204)
}

test('an address changes when its new owner confirms it, and the former one gets a link that undoes the change', async () => {
  const ada = await registeredUser('ada_move')
  const other = await loggedIn(ada)
  expect((await changeAddress(ada, 'ADA@Bücher.example')).status).toBe(202)
  expect(await identityOf(ada)).toEqual({ email: 'ada_move@example.com', pendingEmail: 'ada@bücher.example' })
  const asked = await nthMailTo('ada@xn--bcher-kva.example', 1)
  const token = tokenIn(asked)
  expect([asked.subject, asked.text]).toEqual([
    'Confirm your new address',
    [
      'The owner of the account @ada_move asked to use this address from now on. Open this link within 24 hours to confirm it:',
      `${BASE_URL}/?address=${token}`,
      `Or paste this token: ${token}`,
      'If you do not own this account, ignore this email: the account does not get your address.',
    ].join('\n\n'),
  ])
  expect((await logIn('ada@bücher.example')).status).toBe(401)
  expect((await confirmAddress(token)).status).toBe(204)
  expect(await identityOf(ada)).toEqual({ email: 'ada@bücher.example', pendingEmail: null })
  expect([(await logIn('ada@bücher.example')).status, (await logIn('ada_move@example.com')).status]).toEqual([200, 401])

  const warning = await nthMailTo('ada_move@example.com', 1)
  const undo = tokenIn(warning)
  expect([warning.subject, warning.text]).toEqual([
    'Your address was changed',
    [
      'The account @ada_move has another address now, so it gets no more emails here.',
      'If it was not you, open this link within 72 hours. It restores this address, ends every login and voids the password:',
      `${BASE_URL}/?undo=${undo}`,
      `Or paste this token: ${undo}`,
    ].join('\n\n'),
  ])
  clock.advance(71 * HOUR_MS)
  expect((await undoAddress(undo)).status).toBe(204)
  expect((await refreshWith(other.refreshToken)).status).toBe(401)
  clock.advance(LEASE_MS)
  expect(await statusWith(ada.token)).toBe(401)
  expect([(await logIn('ada_move@example.com')).status, (await logIn('ada@bücher.example')).status]).toEqual([401, 401])
  expect((await nthMailTo('ada@xn--bcher-kva.example', 2)).subject).toBe('Your address was removed')
  const restored = await nthMailTo('ada_move@example.com', 2)
  const reset = tokenIn(restored)
  expect([restored.subject, restored.text]).toEqual([
    'Your address was restored',
    [
      'The account @ada_move has this address again. Every login was ended, and the password no longer works.',
      'The person who changed the address may know it. Open this link within 30 minutes and choose a new one:',
      `${BASE_URL}/?reset=${reset}`,
      `Or paste this token: ${reset}`,
      'If the link has expired, choose “Forgot password” on the page where you log in.',
    ].join('\n\n'),
  ])
  expect((await resetWith(reset)).status).toBe(200)
  expect((await logIn('ada_move@example.com', NEW_PASSWORD)).status).toBe(200)
})

test('an address of another account gets an email that says so, and nothing changes', async () => {
  const [bob] = [await registeredUser('bob_move'), await registeredUser('taken_move')]
  expect((await changeAddress(bob, 'taken_move@example.com')).status).toBe(202)
  const mail = await nthMailTo('taken_move@example.com', 1)
  expect([mail.subject, mail.text]).toEqual([
    'This address already has an account',
    [
      'The owner of the account @bob_move asked to use this address, but it belongs to another account, so nothing was changed.',
      'If you own both accounts, log in to the other one and change its address first. If not, you can ignore this email.',
    ].join('\n\n'),
  ])
  expect(await refusal(await confirmAddress(await mailedAddressToken(bob.id, 'taken_move@example.com')))).toEqual(
    badToken,
  )
  expect((await identityOf(bob)).email).toBe('bob_move@example.com')
  expect(await refusal(await changeAddress(bob, 'BOB_move@example.com'))).toEqual([
    422,
    [{ field: 'email', message: 'is already your address' }],
  ])
})

test('of ten accounts that want one address, one gets it, and an unverified registration does not hold it', async () => {
  await register('squatter_move', { email: 'wanted@example.com' })
  const users = await Promise.all(Array.from({ length: 10 }, (_, i) => registeredUser(`want_${i}`)))
  await Promise.all(users.slice(0, 5).map((user) => changeAddress(user, 'wanted@example.com')))
  await Promise.all(users.slice(5).map((user) => changeAddress(user, 'WANTED@example.com')))
  const tokens = await Promise.all(users.map(({ id }) => mailedAddressToken(id, 'wanted@example.com')))
  const statuses = await Promise.all(tokens.map(async (token) => (await confirmAddress(token)).status))
  expect(statuses.toSorted()).toEqual([204, ...Array(9).fill(422)])
  const winner = users[statuses.indexOf(204)]!
  expect((await (await logIn('wanted@example.com')).json<{ account: { id: string } }>()).account.id).toBe(winner.id)
  expect(await directoryNumber("select count(*) n from handles where handle = 'squatter_move'")).toBe(0)
})

test('of fifty concurrent uses of a token, one succeeds, for confirming and for undoing', async () => {
  const cleo = await registeredUser('cleo_move')
  await changeAddress(cleo, 'cleo@example.org')
  const race = async (use: () => Promise<Response>) => {
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await use()).status))
    expect(statuses.toSorted()).toEqual([204, ...Array(49).fill(422)])
  }
  const token = await mailedAddressToken(cleo.id, 'cleo@example.org')
  await race(() => confirmAddress(token))
  await nthMailTo('cleo_move@example.com', 1)
  const undo = await mailedUndoToken(cleo.id, 'cleo_move@example.com')
  await race(() => undoAddress(undo))
  await delivered()
  const subjects = mailsTo('cleo_move@example.com').map(({ subject }) => subject)
  expect(subjects).toEqual(['Your address was changed', 'Your address was restored'])
})

test('after two changes, the oldest undo still works and voids the undo of the later address', async () => {
  const dan = await registeredUser('dan_move')
  await move(dan, 'dan@example.org')
  clock.advance(HOUR_MS)
  const later = await loggedIn(dan)
  Object.assign(dan, { token: later.accessToken })
  await move(dan, 'dan@example.net')
  const [oldest, latest] = [
    await mailedUndoToken(dan.id, 'dan_move@example.com'),
    await mailedUndoToken(dan.id, 'dan@example.org'),
  ]
  const reset = await mailedResetToken(dan.id)
  await changeAddress(dan, 'dan@example.info')
  const pending = await mailedAddressToken(dan.id, 'dan@example.info')
  expect((await undoAddress(oldest)).status).toBe(204)
  for (const use of [() => undoAddress(latest), () => undoAddress(oldest), () => confirmAddress(pending)]) {
    expect(await refusal(await use())).toEqual(badToken)
  }
  expect(await refusal(await resetWith(reset))).toEqual(badToken)
  expect(await addressOf(dan)).toBe('dan_move@example.com')
})

test('undoing the later of two changes restores the address in between, and keeps the oldest undo', async () => {
  const eve = await registeredUser('eve_move')
  await move(eve, 'eve@example.org')
  await move(eve, 'eve@example.net')
  const oldest = await mailedUndoToken(eve.id, 'eve_move@example.com')
  expect((await undoAddress(await mailedUndoToken(eve.id, 'eve@example.org'))).status).toBe(204)
  expect(await addressOf(eve)).toBe('eve@example.org')
  expect((await undoAddress(oldest)).status).toBe(204)
  expect(await addressOf(eve)).toBe('eve_move@example.com')
})

test('tokens that are altered, expired, or of another purpose, account or address change nothing', async () => {
  const [fay, gil] = [await registeredUser('fay_move'), await registeredUser('gil_move')]
  await changeAddress(fay, 'fay@example.org')
  const first = await mailedAddressToken(fay.id, 'fay@example.org')
  await changeAddress(fay, 'fay@example.net')
  const second = await mailedAddressToken(fay.id, 'fay@example.net')
  const [, until, signature] = second.split('.')
  await delivered()
  const before = await fingerprint()
  const wrong = [first, `${gil.id}.${until}.${signature}`, `${second}x`, 'x', await mailedResetToken(fay.id)]
  for (const token of wrong)
    expect([token, ...(await refusal(await confirmAddress(token)))]).toEqual([token, ...badToken])
  for (const token of [...wrong, second]) expect(await refusal(await undoAddress(token))).toEqual(badToken)
  expect(await refusal(await resetWith(second))).toEqual(badToken)
  expect(await fingerprint()).toEqual(before)
  await move(gil, 'gil@example.org')
  clock.advance(24 * HOUR_MS + 1)
  expect(await refusal(await confirmAddress(second))).toEqual(badToken)
  const undo = await mailedUndoToken(gil.id, 'gil_move@example.com')
  clock.advance(72 * HOUR_MS + 1)
  expect(await refusal(await undoAddress(undo))).toEqual(badToken)
})

test('a change of address needs a fresh login', async () => {
  const hal = await registeredUser('hal_move')
  clock.advance(9 * 60_000)
  expect((await changeAddress(hal, 'hal@example.org')).status).toBe(202)
  await directoryRow(
    'update sessions set created_at = created_at - 3600000 where user_id = ? returning id',
    Number(hal.id),
  )
  expect(await outcomeOf(await changeAddress(hal, 'hal@example.net'))).toEqual([403, 'fresh_login_required'])
})

test('a reset email goes to the address that the account has when it is sent', async () => {
  const ivy = await registeredUser('ivy_move')
  await move(ivy, 'ivy@example.org')
  expect((await forgot('ivy_move')).status).toBe(202)
  await delivered()
  expect(mailsTo('ivy@example.org').at(-1)?.subject).toBe('Reset your password')
  expect(mailsTo('ivy_move@example.com').map(({ subject }) => subject)).toEqual(['Your address was changed'])
  await register('ivy_again', { email: 'ivy_move@example.com' })
  const again = () => registrationsTo('ivy_move@example.com').find(({ text }) => text.includes('ivy_again'))
  await until(() => again() !== undefined)
  expect((await verify(tokenIn(again()!))).status).toBe(200)
  expect(await refusal(await undoAddress(await mailedUndoToken(ivy.id, 'ivy_move@example.com')))).toEqual(badToken)
})
