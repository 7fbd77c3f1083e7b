import { expect, test } from 'vitest'
import { asViewer } from '../../../src/platform/context.ts'
import { AddressChange, changeAddress as change } from '../../../src/services/identity/address-change.ts'
import { PASSWORD, type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { directoryNumber, loggedIn, logIn, outcomeOf } from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { addPasskey, addTotp, passkeyLogin } from '../../support/factors.ts'
import { interceptMails } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'
import {
  badToken,
  changeAddress,
  confirmAddress,
  mailedAddressToken,
  mailedResetToken,
  mailedUndoToken,
  NEW_PASSWORD,
  refusal,
  resetWith,
  undoAddress,
} from '../../support/recovery.ts'

const { mailsTo } = interceptMails()
const clock = movableClock()
const HOUR_MS = 3_600_000

async function move(user: RegisteredUser, email: string): Promise<void> {
  expect((await changeAddress(user, email)).status).toBe(202)
  expect((await confirmAddress(await mailedAddressToken(user.id, email))).status).toBe(204)
}

test('changing an address back undoes the change: the address in between gets no link, and the first link is void', async () => {
  const jon = await registeredUser('jon_move')
  await move(jon, 'jon@example.org')
  const undo = await mailedUndoToken(jon.id, 'jon_move@example.com')
  clock.advance(HOUR_MS)
  Object.assign(jon, { token: (await loggedIn(jon)).accessToken })
  await move(jon, 'jon_move@example.com')
  await delivered()
  const left = mailsTo('jon@example.org').at(-1)
  expect([left?.subject, left?.text]).toEqual([
    'Your address was removed',
    'The account @jon_move has its former address again, so it gets no more emails here.',
  ])
  expect(await refusal(await undoAddress(undo))).toEqual(badToken)
  expect(await directoryNumber('select count(*) n from former_addresses where account_id = ?', Number(jon.id))).toBe(0)
})

test('changing back to the address in between keeps the oldest undo', async () => {
  const kim = await registeredUser('kim_move')
  for (const email of ['kim@example.org', 'kim@example.net', 'kim@example.org']) await move(kim, email)
  expect(await directoryNumber('select count(*) n from former_addresses where account_id = ?', Number(kim.id))).toBe(1)
  expect((await undoAddress(await mailedUndoToken(kim.id, 'kim_move@example.com'))).status).toBe(204)
})

test('undoing a change voids the password and the device tokens of the person who made it', async () => {
  const lea = await registeredUser('lea_move')
  await move(lea, 'lea@example.org')
  const by = anonymousClient()
  for (let i = 0; i < 10; i++) expect((await logIn('lea_move', 'not the password', by)).status).toBe(401)
  const logInOnDevice = async (password: string) => (await logIn('lea_move', password, by, lea.deviceToken)).status
  expect(await logInOnDevice(PASSWORD)).toBe(200)
  expect((await undoAddress(await mailedUndoToken(lea.id, 'lea_move@example.com'))).status).toBe(204)
  expect(await outcomeOf(await logIn('lea_move'))).toEqual([401, 'invalid_credentials'])
  expect((await resetWith(await mailedResetToken(lea.id))).status).toBe(200)
  expect(await logInOnDevice(NEW_PASSWORD)).toBe(403)
  expect((await logIn('lea_move', NEW_PASSWORD)).status).toBe(200)
})

const ownerEnds: Record<string, (user: RegisteredUser) => Promise<Response>> = {
  'a reset of the password': async ({ id }) => resetWith(await mailedResetToken(id)),
  'a change of the password': (user) =>
    user.fetch('/v1/auth/password', {
      method: 'PUT',
      json: { currentPassword: PASSWORD, password: NEW_PASSWORD },
    }),
  'logging out everywhere': (user) => user.fetch('/v1/auth/logout-all', { method: 'POST' }),
  'deleting the account': (user) => user.fetch('/v1/me', { method: 'DELETE' }),
  'ending all other logins': (user) => user.fetch('/v1/me/sessions', { method: 'DELETE' }),
}

test.each(Object.entries(ownerEnds))('%s voids a change of the address that is not confirmed yet', async (_, end) => {
  const user = await registeredUser()
  const next = `thief_${user.id}@example.org`
  expect((await changeAddress(user, next)).status).toBe(202)
  const token = await mailedAddressToken(user.id, next)
  expect((await end(user)).ok).toBe(true)
  expect(await refusal(await confirmAddress(token))).toEqual(badToken)
})

test('a login that ends while it asks for another address changes nothing', async () => {
  const max = await registeredUser('max_move')
  const ended = asViewer(contextWith(), max.id) // has no login in the directory
  const mails = () => directoryNumber("select count(*) n from mails where kind = 'confirm-address'")
  const before = await mails()
  await expect(change(ended, AddressChange.parse({ email: 'max@example.org' }))).rejects.toMatchObject({
    code: 'unauthorized',
  })
  expect(await directoryNumber('select count(*) n from address_changes where account_id = ?', Number(max.id))).toBe(0)
  expect(await mails()).toBe(before)
})

test('while an account is suspended, nobody confirms its new address', async () => {
  const [ned, admin] = await Promise.all([registeredUser('ned_move'), registeredUser()])
  await setRole(admin, 'admin')
  expect((await changeAddress(ned, 'ned@example.org')).status).toBe(202)
  const token = await mailedAddressToken(ned.id, 'ned@example.org')
  const suspension = (method: string) => admin.fetch(`/v1/accounts/${ned.id}/suspension`, { method })
  expect((await suspension('PUT')).ok).toBe(true)
  const refused = await confirmAddress(token)
  expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'suspended' }])
  expect((await suspension('DELETE')).ok).toBe(true)
  expect((await confirmAddress(token)).status).toBe(204)
})

test('undoing a change removes the factors that were added since, and keeps the older ones', async () => {
  const [mia, noa] = [await registeredUser('mia_move'), await registeredUser('noa_move')]
  const older = await addPasskey(mia)
  for (const user of [mia, noa]) await move(user, `${user.handle}@example.org`)
  const newer = [await addPasskey(mia), await addPasskey(noa)]
  await addTotp(mia)
  for (const user of [mia, noa]) {
    expect((await undoAddress(await mailedUndoToken(user.id, `${user.handle}@example.com`))).status).toBe(204)
    await resetWith(await mailedResetToken(user.id))
  }
  for (const { device } of newer) expect((await passkeyLogin(device)).status).toBe(401)
  expect((await passkeyLogin(older.device)).status).toBe(200)
  expect((await logIn('noa_move', NEW_PASSWORD)).status).toBe(200)
  const codes = 'select count(*) n from recovery_codes where account_id = ?'
  expect([await directoryNumber(codes, Number(mia.id)), await directoryNumber(codes, Number(noa.id))]).toEqual([10, 0])
})
