import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, directoryRow, logIn, refreshWith, statusWith } from '../../support/auth.ts'
import { postJson } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { addPasskey, addTotp, passkeyLogin } from '../../support/factors.ts'
import { inBetween } from '../../support/in-between.ts'
import { interceptMails, tokenIn } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { insertLink } from '../../support/provider-logins.ts'
import {
  badToken,
  mailedFactorToken,
  mailedResetToken,
  NEW_PASSWORD,
  refusal,
  resetWith,
} from '../../support/recovery.ts'

const clock = movableClock()
const mails = interceptMails()

const undo = (token: string) => postJson('/v1/auth/factors/undo', { token })
const mailTo = ({ handle }: RegisteredUser, subject: string) =>
  mails.mailsTo(`${handle}@example.com`).find((mail) => mail.subject === subject)!
const rowsOf = ({ id }: RegisteredUser) =>
  directoryRow<Record<'apps' | 'passkeys' | 'codes', number>>(
    `select (select count(*) from totp_factors where account_id = ?1) apps,
      (select count(*) from passkeys where account_id = ?1) passkeys,
      (select count(*) from recovery_codes where account_id = ?1) codes`,
    Number(id),
  )

test('the mail about the first authenticator app undoes it, ends every login and voids the password, once', async () => {
  const ada = await registeredUser()
  await addTotp(ada)
  await delivered()
  const mail = mailTo(ada, 'An authenticator app was added')
  expect(mail.text).toContain(`/?factor=${tokenIn(mail)}`)
  expect((await undo(tokenIn(mail))).status).toBe(204)
  clock.advance(LEASE_MS)
  expect(await statusWith(ada.token)).toBe(401)
  expect((await refreshWith(ada.refreshToken)).status).toBe(401)
  expect(await rowsOf(ada)).toEqual({ apps: 0, passkeys: 0, codes: 0 })
  expect((await logIn(ada.handle)).status).toBe(401)
  expect(await refusal(await undo(tokenIn(mail)))).toEqual(badToken)
  await delivered()
  expect(mailTo(ada, 'A second factor was removed again').text).toContain('/?reset=')
  expect((await resetWith(await mailedResetToken(ada.id))).status).toBe(200)
  expect((await logIn(ada.handle, NEW_PASSWORD)).status).toBe(200)
  const undone = (await auditOf(ada.id)).filter(({ action }) => action === 'factor-undone')
  expect(undone).toMatchObject([{ actorId: null, detail: '{"factor":"totp"}' }])
})

test('the mail about a later passkey removes it and what is newer, and keeps older factors', async () => {
  const ada = await registeredUser()
  await addTotp(ada)
  clock.advance(1_000)
  const thief = await addPasskey(ada)
  await insertLink(ada.id, 'https://thief.example', 'thief')
  clock.advance(1_000)
  await addPasskey(ada, 'Another one')
  const token = await mailedFactorToken(ada.id, thief.id)
  expect((await undo(token)).status).toBe(204)
  expect(await rowsOf(ada)).toMatchObject({ apps: 1, passkeys: 0 })
  expect((await passkeyLogin(thief.device)).status).toBe(401)
  const links = "select count(*) n from credentials where user_id = ? and provider_id <> 'credential'"
  expect(await directoryNumber(links, Number(ada.id))).toBe(0)
  expect((await rowsOf(ada))?.codes).toBeGreaterThan(0)
})

test('of two concurrent uses of a token one succeeds, and an undone app that is added again has another token', async () => {
  const ada = await registeredUser()
  await addTotp(ada)
  await delivered()
  const token = tokenIn(mailTo(ada, 'An authenticator app was added'))
  const answers = await Promise.all([undo(token), undo(token)])
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 422])
  const [first, second] = [await registeredUser(), await registeredUser()]
  await addTotp(first)
  const at = await directoryNumber('select confirmed_at n from totp_factors where account_id = ?', Number(first.id))
  const old = await mailedFactorToken(first.id, String(at))
  await first.fetch('/v1/me/factors/totp', { method: 'DELETE' })
  clock.advance(31_000)
  await addTotp(first)
  expect(await refusal(await undo(old))).toEqual(badToken)
  expect(await rowsOf(first)).toMatchObject({ apps: 1 })
  expect(await refusal(await undo(old.replace(first.id, second.id)))).toEqual(badToken)
})

test('the token belongs to the address that got it: after a change of the address, also during its use, it undoes nothing', async () => {
  const ada = await registeredUser()
  const { id } = await addPasskey(ada)
  const token = await mailedFactorToken(ada.id, id)
  const move = () =>
    env.DIRECTORY.prepare("update users set email = email || 'x' where id = ?").bind(Number(ada.id)).run()
  const path = '/v1/auth/factors/undo'
  const during = await inBetween(1, move, path, { method: 'POST', json: { token } })
  expect(await refusal(during)).toEqual(badToken)
  expect(await refusal(await undo(token))).toEqual(badToken)
  expect(await rowsOf(ada)).toMatchObject({ passkeys: 1 })
})

test('the token works for 72 hours', async () => {
  const ada = await registeredUser()
  const { id } = await addPasskey(ada)
  const token = await mailedFactorToken(ada.id, id)
  clock.advance(72 * 3_600_000)
  expect(await refusal(await undo(token))).toEqual(badToken)
  expect(await rowsOf(ada)).toMatchObject({ passkeys: 1 })
  expect((await logIn(ada.handle, PASSWORD)).status).toBe(401)
})
