import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { mailedToken, PASSWORD, registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { register, verify } from '../../support/auth.ts'
import { postJson } from '../../support/client.ts'
import { accountIdOf, inMode } from '../../support/modes.ts'
import { drained } from '../../support/outboxes.ts'

const WRONG = 'not the password of theirs'

/** The last entries of the account, without those of its registration. */
async function entriesOf(id: Id): Promise<unknown[]> {
  await drained()
  const entries = await auditOf(id)
  const isOwn = ({ action }: { action: string }) => !['registered', 'address-verified', 'logged-in'].includes(action)
  return entries.filter(isOwn).map(({ action, actorId, detail }) => [action, actorId, JSON.parse(detail ?? 'null')])
}

test('the audit log has wrong passwords at confirmations and password changes, and confirmations themselves', async () => {
  const ada = await registeredUser('ada_entries')
  const confirm = async (password: string) => (await postJson('/v1/auth/confirm', { password }, ada)).status
  const change = { currentPassword: WRONG, password: '8-yr!6-wj?3-uv+1' }
  expect(await confirm(WRONG)).toBe(401)
  expect((await ada.fetch('/v1/auth/password', { method: 'PUT', json: change })).status).toBe(401)
  expect(await confirm(PASSWORD)).toBe(204)
  const failed = ['login-failed', ada.id, { step: 'confirmation' }]
  const confirmed = ['login-confirmed', ada.id, { sessionId: expect.any(String) }]
  expect(await entriesOf(ada.id)).toEqual([failed, failed, confirmed])
  for (let i = 0; i < 9; i++) await confirm(WRONG)
  // The first five of an hour, and the one that reached the limit.
  expect(await entriesOf(ada.id)).toHaveLength(7)
})

test('a wrong password at the verification has an entry', async () => {
  await register('cat_entries')
  const token = await mailedToken('cat_entries')
  expect((await verify(token, WRONG)).status).toBe(401)
  const failed = ['login-failed', null, { step: 'verification' }]
  expect(await entriesOf(await accountIdOf('cat_entries'))).toEqual([failed])
})

test('the right password of an account that awaits approval has an entry', async () => {
  const mode = inMode('approval')
  await mode.register('dot_entries')
  expect((await mode.verify('dot_entries')).status).toBe(403)
  const id = await accountIdOf('dot_entries')
  expect(await entriesOf(id)).toEqual([])
  expect((await mode.logIn('dot_entries')).status).toBe(403)
  expect(await entriesOf(id)).toEqual([['login-refused', id, { reason: 'awaiting_approval' }]])
})
