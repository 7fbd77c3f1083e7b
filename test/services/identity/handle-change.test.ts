import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { toId } from '../../../src/platform/data/ids.ts'
import { syncHandle } from '../../../src/services/identity/handles.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { directoryNumber, logIn, outcomeOf, register } from '../../support/auth.ts'
import { movableClock } from '../../support/clock.ts'
import { shardHolding } from '../../support/databases.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { interceptMails } from '../../support/mails.ts'
import { delivered, drained, publishEvent } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'
import { changeHandle } from '../../support/recovery.ts'
import { until } from '../../support/until.ts'

const { mailsTo } = interceptMails()
const clock = movableClock()
const DAY_MS = 24 * 3_600_000

const idOf = async (handle: string, by: RegisteredUser) => {
  const response = await by.fetch(`/v1/handles/${handle}`)
  return response.ok ? (await response.json<{ id: string }>()).id : response.status
}
const renewToken = async (user: RegisteredUser) => {
  const { accessToken } = await (await logIn(user.handle)).json<{ accessToken: string }>()
  Object.assign(user, { token: accessToken })
}
const accountRow = ({ id }: RegisteredUser) =>
  shardHolding(id).prepare('select handle, display_name from accounts where id = ?').bind(Number(id)).first()

test('a change of the handle needs a fresh login, and the owner of the account gets an email', async () => {
  const zoe = await registeredUser('zoe_old')
  const path = { method: 'PUT', json: { handle: 'zoe_new' } }
  await env.DIRECTORY.prepare('update sessions set created_at = 0 where user_id = ?').bind(Number(zoe.id)).run()
  expect(await outcomeOf(await zoe.fetch('/v1/me/handle', path))).toEqual([403, 'fresh_login_required'])
  expect(await accountRow(zoe)).toMatchObject({ handle: 'zoe_old' })
  expect((await changeHandle(zoe, 'zoe_new')).status).toBe(200)
  const notice = () => mailsTo('zoe_old@example.com').find(({ subject }) => subject === 'Your handle was changed')
  const mail = await until(notice)
  expect(mail.text).toContain('Your handle @zoe_old was changed to @zoe_new.')
})

test('a new handle shows everywhere at once, and the former one forwards lookups, mentions and logins', async () => {
  const [ada, bob] = [await registeredUser('ada_old'), await registeredUser('bob_old')]
  const post = await (await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'Hello' } })).json<{ id: string }>()
  expect(await idOf('ada_old', bob)).toBe(ada.id)
  const response = await changeHandle(ada, '@Ada_New')
  expect(response.status).toBe(200)
  const identity = await response.json<{ handle: string; handleChangeableAt: string }>()
  expect(identity).toMatchObject({ handle: 'ada_new', email: 'ada_old@example.com' })
  expect(Date.parse(identity.handleChangeableAt) - Date.now()).toBeGreaterThan(29 * DAY_MS)
  expect(await accountRow(ada)).toEqual({ handle: 'ada_new', display_name: 'ada_new' })
  for (const handle of ['ada_new', 'ada_old', '@ADA_OLD']) expect(await idOf(handle, bob)).toBe(ada.id)
  for (const name of ['ada_new', '@ada_old', 'ada_old@example.com']) {
    expect(await (await logIn(name)).json()).toMatchObject({ account: { id: ada.id, handle: 'ada_new' } })
  }
  const read = await (await bob.fetch(`/v1/posts/${post.id}`)).json<{ author: { handle: string } }>()
  expect(read.author.handle).toBe('ada_new')
  const mention = await bob.fetch('/v1/posts', { method: 'POST', json: { text: 'Hello @ada_old' } })
  expect(await mention.json()).toMatchObject({ entities: [{ kind: 'mention', accountId: ada.id }] })
  for (const name of ['ada_old', 'ada_new']) expect(await env.CACHE.get(`handle:${name}`)).toBe(ada.id)
})

test('nobody else gets a former handle for ninety days; its account may take it back at any time', async () => {
  const [cleo, dan] = [await registeredUser('cleo_old'), await registeredUser('dan_old')]
  expect((await changeHandle(cleo, 'cleo_new')).status).toBe(200)
  const taken = [409, 'handle_taken']
  expect(await outcomeOf(await changeHandle(dan, 'cleo_old'))).toEqual(taken)
  expect(await outcomeOf(await changeHandle(dan, 'cleo_new'))).toEqual(taken)
  expect(await outcomeOf(await register('cleo_old', { email: 'other@example.com' }))).toEqual(taken)
  expect(await outcomeOf(await changeHandle(cleo, 'cleo_third'))).toEqual([409, 'handle_changed_recently'])
  expect((await changeHandle(cleo, 'cleo_old')).status).toBe(200)
  expect(await outcomeOf(await changeHandle(dan, 'cleo_new'))).toEqual(taken)
  expect(await idOf('cleo_new', dan)).toBe(cleo.id)
  clock.advance(90 * DAY_MS + 1)
  await renewToken(dan)
  await env.CACHE.delete('handle:cleo_new')
  expect(await idOf('cleo_new', dan)).toBe(404)
  expect((await logIn('cleo_new')).status).toBe(401)
  expect((await changeHandle(dan, 'cleo_new')).status).toBe(200)
  expect(await idOf('cleo_new', dan)).toBe(dan.id)
  await deleteLapsed(contextWith())
  expect(await directoryNumber("select count(*) n from former_handles where handle like 'cleo%'")).toBe(0)
})

test('a former handle is not cached in the last hour before others may register it', async () => {
  const pia = await registeredUser('pia_old')
  expect((await changeHandle(pia, 'pia_new')).status).toBe(200)
  await env.CACHE.delete('handle:pia_old')
  const soon = Date.now() + 59 * 60_000
  await env.DIRECTORY.prepare("update former_handles set until = ? where handle = 'pia_old'").bind(soon).run()
  await syncHandle(contextWith(), { accountId: toId(Number(pia.id)) })
  expect(await env.CACHE.get('handle:pia_new')).toBe(pia.id)
  expect(await env.CACHE.get('handle:pia_old')).toBeNull()
})

test('reserved and official names, malformed handles and a repeated change change nothing', async () => {
  const eve = await registeredUser('eve_old')
  await delivered()
  const before = await fingerprint()
  for (const handle of ['admin', 'adm1n', 'support_team', 'me', 'x', 'a b', 'ädä']) {
    expect([handle, (await changeHandle(eve, handle)).status]).toEqual([handle, 422])
  }
  expect((await changeHandle(eve, 'EVE_old')).status).toBe(200)
  expect(await fingerprint()).toEqual(before)
})

test('of fifty accounts that want one handle, one gets it, and an account that changes twice at once succeeds once', async () => {
  const users = await Promise.all(Array.from({ length: 50 }, (_, i) => registeredUser(`crowd_${i}`)))
  const statuses = await Promise.all(users.map(async (user) => (await changeHandle(user, 'wanted_name')).status))
  expect(statuses.toSorted()).toEqual([200, ...Array(49).fill(409)])
  expect(await idOf('wanted_name', users[0]!)).toBe(users[statuses.indexOf(200)]!.id)
  const [loser] = users.filter((_, i) => statuses[i] !== 200)
  const twice = await Promise.all(Array.from({ length: 10 }, (_, i) => changeHandle(loser!, `twice_${i}`)))
  expect(twice.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(await directoryNumber('select count(*) n from former_handles where account_id = ?', Number(loser!.id))).toBe(1)
})

test('an expired reservation of a handle does not hold it', async () => {
  await register('lapsed_name', { email: 'lapsed@example.com' })
  const fay = await registeredUser('fay_old')
  expect(await outcomeOf(await changeHandle(fay, 'lapsed_name'))).toEqual([409, 'handle_taken'])
  await delivered()
  clock.advance(3_600_001)
  await renewToken(fay)
  expect((await changeHandle(fay, 'lapsed_name')).status).toBe(200)
})

test('the event alone copies the handle to the account, if the request was interrupted', async () => {
  const gus = await registeredUser('gus_old')
  await env.DIRECTORY.prepare("update handles set handle = 'gus_new' where account_id = ?").bind(Number(gus.id)).run()
  await publishEvent('identity.handle-changed', { accountId: gus.id })
  await drained(gus.id)
  expect(await accountRow(gus)).toEqual({ handle: 'gus_new', display_name: 'gus_new' })
})
