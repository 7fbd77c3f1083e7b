import { expect, test } from 'vitest'
import { PASSWORD, registeredUser, setRole } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, directoryRow, logIn, outcomeOf } from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { addPasskey, addTotp, codeAt, firstStep, post, secondStep, tokensOf } from '../../support/factors.ts'
import { interceptMails } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { NEW_PASSWORD } from '../../support/recovery.ts'

test('an authenticator app is set up once, and has no effect before its first code', async () => {
  const user = await registeredUser()
  const start = async () => (await post(user, '/me/factors/totp')).json<{ secret: string; uri: string }>()
  const confirm = (code: string) => post(user, '/me/factors/totp/confirm', { code })
  expect((await confirm('123456')).status).toBe(409)
  const replaced = await start()
  const { secret, uri } = await start()
  expect(uri).toContain(`otpauth://totp/SocialConnect:${user.handle}?issuer=SocialConnect&secret=${secret}`)
  expect((await logIn(user.handle)).status).toBe(200)
  expect((await confirm(codeAt(replaced.secret))).status).toBe(401)
  const statuses = await Promise.all([confirm(codeAt(secret)), confirm(codeAt(secret))])
  expect(statuses.map(({ status }) => status).toSorted()).toEqual([200, 409])
  expect((await post(user, '/me/factors/totp')).status).toBe(409)
  const sealed = await directoryNumber('select count(*) n from totp_factors where sealed_secret like ?', `%${secret}%`)
  expect(sealed).toBe(0)
})

test('after the last factor is removed, the password logs in again, and the recovery codes are gone', async () => {
  const user = await registeredUser()
  await addTotp(user)
  const remove = () => user.fetch('/v1/me/factors/totp', { method: 'DELETE' })
  expect((await remove()).status).toBe(204)
  expect((await remove()).status).toBe(404)
  expect((await logIn(user.handle)).status).toBe(200)
  expect((await post(user, '/me/factors/recovery-codes')).status).toBe(409)
  expect(await directoryNumber('select count(*) n from recovery_codes where account_id = ?', Number(user.id))).toBe(0)
})

test('a password of eight characters needs a second factor, and the last factor then cannot be removed', async () => {
  const user = await registeredUser()
  const short = 'q8#vR2!z'
  const change = (currentPassword: string, password: string) =>
    user.fetch('/v1/auth/password', { method: 'PUT', json: { currentPassword, password } })
  expect((await change(PASSWORD, short)).status).toBe(422)
  const { secret } = await addTotp(user)
  for (const weak of [short.slice(1), 'sunshine1']) expect((await change(PASSWORD, weak)).status).toBe(422)
  user.token = (await tokensOf(await change(PASSWORD, short))).accessToken
  const remove = () => user.fetch('/v1/me/factors/totp', { method: 'DELETE' })
  expect(await outcomeOf(await remove())).toEqual([409, 'long_password_required'])
  const { challenge } = await firstStep(user, undefined, short)
  await tokensOf(await secondStep(challenge, { code: codeAt(secret) }))
  user.token = (await tokensOf(await change(short, NEW_PASSWORD))).accessToken
  expect((await remove()).status).toBe(204)
  expect((await logIn(user.handle, NEW_PASSWORD, anonymousClient())).status).toBe(200)
})

test('each change of the factors, and each use of a recovery code, is mailed and audited', async () => {
  const mails = interceptMails()
  const user = await registeredUser()
  const { recoveryCodes } = await addTotp(user)
  const { id } = await addPasskey(user)
  await post(user, '/me/factors/recovery-codes')
  const { challenge } = await firstStep(user)
  expect((await secondStep(challenge, { recoveryCode: recoveryCodes[0] })).status).toBe(401)
  const { recoveryCodes: codes } = await (await post(user, '/me/factors/recovery-codes')).json<{
    recoveryCodes: string[]
  }>()
  expect((await secondStep(challenge, { recoveryCode: codes[0] })).status).toBe(200)
  await user.fetch(`/v1/me/passkeys/${id}`, { method: 'DELETE' })
  await user.fetch('/v1/me/factors/totp', { method: 'DELETE' })
  await delivered()
  const actions = (await auditOf(user.id)).map(({ action, detail }) => `${action} ${detail ?? ''}`)
  expect(actions.filter((action) => /factor|recovery/.test(action))).toEqual([
    'factor-added {"factor":"totp"}',
    'factor-added {"factor":"passkey"}',
    'recovery-codes-replaced ',
    'login-failed {"step":"second-factor"}',
    'recovery-codes-replaced ',
    'recovery-code-used ',
    'factor-removed {"factor":"passkey"}',
    'factor-removed {"factor":"totp"}',
  ])
  const subjects = () => mails.mailsTo(`${user.handle}@example.com`).map(({ subject }) => subject)
  expect(subjects().toSorted()).toEqual(
    [
      'A passkey was added',
      'A passkey was removed',
      'A recovery code was used',
      'An authenticator app was added',
      'The authenticator app was removed',
      'You have new recovery codes',
      'You have new recovery codes',
    ].toSorted(),
  )
})

test('writes of the staff and changes of factors need a fresh login', async () => {
  const user = await registeredUser()
  await setRole(user, 'admin')
  await directoryRow('update sessions set created_at = 0 where user_id = ?', Number(user.id))
  const other = await registeredUser()
  const calls = [
    ['PUT', `/accounts/${other.id}/suspension`],
    ['DELETE', `/accounts/${other.id}/suspension`],
    ['PUT', `/accounts/${other.id}/role`, { role: 'moderator' }],
    ['PUT', `/registrations/${other.id}/approval`],
    ['DELETE', `/registrations/${other.id}`],
    ['PUT', '/auth/password', { currentPassword: PASSWORD, password: NEW_PASSWORD }],
    ['PUT', '/me/address', { email: 'new@example.com' }],
    ['POST', '/me/exports'],
    ['DELETE', '/me'],
    ['POST', '/me/factors/totp'],
    ['POST', '/me/factors/totp/confirm', { code: '000000' }],
    ['DELETE', '/me/factors/totp'],
    ['POST', '/me/factors/recovery-codes'],
    ['POST', '/me/passkey-challenge'],
    ['DELETE', '/me/passkeys/1'],
  ] as const
  for (const [method, path, json] of calls) {
    const outcome = await outcomeOf(await user.fetch(`/v1${path}`, { method, json }))
    expect([method, path, ...outcome]).toEqual([method, path, 403, 'fresh_login_required'])
  }
})
