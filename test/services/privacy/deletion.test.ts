import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { markSuspended, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import {
  directoryNumber,
  directoryRow,
  logIn,
  outcomeOf,
  refreshWith,
  socketWith,
  statusWith,
} from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { shardHolding } from '../../support/databases.ts'
import { interceptMails } from '../../support/mails.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

const clock = movableClock()
const DAY_MS = 86_400_000
const mails = interceptMails()

const remove = (user: RegisteredUser) => user.fetch('/v1/me', { method: 'DELETE' })
const statusOf = async (path: string) => (await anonymousClient().fetch(path)).status
const pending = (user: RegisteredUser) =>
  directoryNumber('select count(*) n from deletions where account_id = ?', Number(user.id))
const hiddenAt = ({ id }: RegisteredUser) =>
  shardHolding(id).prepare('select deleted_at from accounts where id = ?').bind(Number(id)).first('deleted_at')

/** Waits until exactly one email with the subject has been sent to the user. */
async function mailed({ handle }: RegisteredUser, subject: string): Promise<void> {
  const own = () => mails.mailsTo(`${handle}@example.com`).filter((mail) => mail.subject === subject)
  await until(() => own().length > 0)
  expect(own()).toHaveLength(1)
}

test('a deletion hides the account at once, ends every login, mails the person and is due after 7 days', async () => {
  const ada = await registeredUser('ada_gone')
  const post = await (await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'a post' } })).json<{ id: string }>()
  const paths = [`/v1/accounts/${ada.id}`, `/v1/handles/${ada.handle}`, `/v1/posts/${post.id}`]
  expect(await Promise.all(paths.map(statusOf))).toEqual([200, 200, 200])
  const { closed } = await socketWith(ada.token)
  const before = Date.now()
  const response = await remove(ada)
  expect(response.status).toBe(202)
  const { erasedAt } = await response.json<{ erasedAt: string }>()
  expect(Date.parse(erasedAt)).toBeGreaterThanOrEqual(before + 7 * DAY_MS)
  expect(await Promise.all(paths.map(statusOf))).toEqual([404, 404, 404])
  const stored = await directoryRow('select erase_at, started_at from deletions where account_id = ?', Number(ada.id))
  expect(stored).toEqual({ erase_at: Date.parse(erasedAt), started_at: null })
  expect(await closed).toMatchObject({ reason: 'logged out' })
  clock.advance(LEASE_MS)
  expect(await statusWith(ada.token)).toBe(401)
  expect((await refreshWith(ada.refreshToken)).status).toBe(401)
  await drained(ada.id)
  await mailed(ada, 'Your account will be deleted')
})

test('only a login whose credentials were entered recently deletes the account', async () => {
  const bea = await registeredUser('bea_gone')
  await env.DIRECTORY.prepare('update sessions set created_at = 0 where user_id = ?').bind(Number(bea.id)).run()
  expect(await outcomeOf(await remove(bea))).toEqual([403, 'fresh_login_required'])
  expect([await pending(bea), await hiddenAt(bea)]).toEqual([0, null])
})

test('a login with the right password cancels the deletion and shows the account again, a wrong one does not', async () => {
  const cyd = await registeredUser('cyd_gone')
  await remove(cyd)
  expect((await logIn('cyd_gone', 'a wrong guess at the password')).status).toBe(401)
  expect(await pending(cyd)).toBe(1)
  const response = await logIn('cyd_gone')
  expect(await response.json()).toMatchObject({ deletionCancelled: true })
  expect([await pending(cyd), await hiddenAt(cyd)]).toEqual([0, null])
  expect(await statusOf(`/v1/accounts/${cyd.id}`)).toBe(200)
  expect(await (await logIn('cyd_gone')).json()).not.toHaveProperty('deletionCancelled')
  await mailed(cyd, 'Your account will not be deleted')
})

test('concurrent logins cancel a deletion once, and all succeed', async () => {
  const dan = await registeredUser('dan_gone')
  await remove(dan)
  const answers = await Promise.all(Array.from({ length: 5 }, () => logIn('dan_gone')))
  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
  await drained()
  const unsent = "select count(*) n from mails where account_id = ? and kind = 'deletion-cancelled'"
  await mailed(dan, 'Your account will not be deleted')
  expect(await directoryNumber(unsent, Number(dan.id))).toBe(0)
})

test('the restricted login of a suspended person cancels a deletion, and the account stays hidden', async () => {
  const eva = await registeredUser('eva_gone')
  await remove(eva)
  await markSuspended(eva.id)
  expect(await (await logIn('eva_gone')).json()).toMatchObject({ deletionCancelled: true, suspended: true })
  expect(await pending(eva)).toBe(0)
  expect(await statusOf(`/v1/accounts/${eva.id}`)).toBe(404)
})

test('a login after the erasure has started is refused like an unknown name', async () => {
  const fay = await registeredUser('fay_gone')
  await remove(fay)
  await env.DIRECTORY.prepare('update deletions set started_at = 1 where account_id = ?').bind(Number(fay.id)).run()
  expect(await outcomeOf(await logIn('fay_gone'))).toEqual([401, 'invalid_credentials'])
  expect([await pending(fay), await hiddenAt(fay)]).toEqual([1, expect.any(Number)])
})

test('events that arrive late or out of order leave the account as the directory says', async () => {
  const gus = await registeredUser('gus_gone')
  await remove(gus)
  const types = ['privacy.deletion-cancelled', 'privacy.deletion-requested', 'privacy.deletion-cancelled']
  await Promise.all(types.map((type) => publishEvent(type, { accountId: gus.id })))
  await drained(gus.id)
  expect(await hiddenAt(gus)).toEqual(expect.any(Number))
  await logIn('gus_gone')
  await Promise.all(types.map((type) => publishEvent(type, { accountId: gus.id })))
  await drained(gus.id)
  expect(await hiddenAt(gus)).toBeNull()
})
