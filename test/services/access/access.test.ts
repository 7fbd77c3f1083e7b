import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { MAX_GRANTS } from '../../../src/services/access/views.ts'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { outcomeOf } from '../../support/auth.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { insertRows } from '../../support/databases.ts'
import { anotherIsolate } from '../../support/isolates.ts'
import { drained } from '../../support/outboxes.ts'

const clock = movableClock()
const HOUR_MS = 3_600_000

let admin: RegisteredUser
let ada: RegisteredUser
let eve: RegisteredUser

beforeAll(async () => {
  ;[admin, ada, eve] = await Promise.all([registeredUser(), registeredUser(), registeredUser()])
  await setRole(admin, 'admin')
})
afterEach(() => {
  Object.assign(env, { NEW_ACCOUNT_MINUTES: '0' })
})

type Created = { id: string }
const newPost = async (author: RegisteredUser) =>
  (await (await author.fetch('/v1/posts', { method: 'POST', json: { text: 'first' } })).json<Created>()).id
const edit = (by: RegisteredUser, postId: string, text = `text ${crypto.randomUUID()}`) =>
  by.fetch(`/v1/posts/${postId}`, { method: 'PATCH', json: { text } })
const put = (path: string, json: object, by = admin) => by.fetch(`/v1${path}`, { method: 'PUT', json })
const grant = (to: RegisteredUser, thing: string, more = {}, by = admin) =>
  put(`/accounts/${to.id}/grants`, { action: 'posts:edit', thing, ...more }, by)
const explained = async (by: RegisteredUser, query: string) =>
  (await by.fetch(`/v1/me/access?${query}`)).json<{ allowed: boolean; decidedBy: object | null; reason: string }>()

/** Gives the account a new role with these permissions. Returns its name. */
async function giveRole(to: RegisteredUser, ...permissions: string[]): Promise<string> {
  const name = `role_${crypto.randomUUID().slice(0, 8)}`
  expect((await put(`/roles/${name}`, { permissions })).status).toBe(204)
  expect((await put(`/accounts/${to.id}/roles`, { roles: [name] })).status).toBe(200)
  return name
}

test('an editor has edit_posts: edits a post of somebody else, who stays its author, and the edit is audited', async () => {
  const postId = await newPost(ada)
  expect(await outcomeOf(await edit(eve, postId))).toEqual([403, 'forbidden'])
  const editor = await giveRole(eve, 'posts:edit')
  const edited = await edit(eve, postId, 'by the editor')
  expect(edited.status).toBe(200)
  expect(await edited.json()).toMatchObject({
    text: 'by the editor',
    author: { id: ada.id },
    editedAt: expect.any(String),
  })
  await drained()
  const [entry] = (await auditOf(ada.id)).filter(({ action }) => action === 'post-edited')
  expect(entry).toMatchObject({ accountId: ada.id, actorId: eve.id })
  expect(JSON.parse(entry!.detail!)).toEqual({ postId, by: `role ${editor}` })
  expect((await put(`/roles/${editor}`, { permissions: [] })).status).toBe(204)
  expect((await edit(eve, postId)).status).toBe(403)
})

test('user 123 may edit post 456, no other post, and only until the grant expires or is revoked', async () => {
  const user = await registeredUser()
  const [post456, post457] = await Promise.all([newPost(ada), newPost(ada)])
  const until = new Date(Date.now() + HOUR_MS).toISOString()
  const given = await grant(user, `post:${post456}`, { until })
  expect(await given.json()).toEqual({ id: expect.any(String), action: 'posts:edit', thing: `post:${post456}`, until })
  expect([(await edit(user, post456)).status, (await edit(user, post457)).status]).toEqual([200, 403])

  const lasting = await (await grant(user, `post:${post457}`)).json<Created>()
  expect((await edit(user, post457)).status).toBe(200)
  expect((await admin.fetch(`/v1/grants/${lasting.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await edit(user, post457)).status).toBe(403)
  await env.DIRECTORY.prepare('UPDATE grants SET until = ? WHERE account_id = ?')
    .bind(Date.now() - 1, Number(user.id))
    .run()
  await grant(user, 'post:1')
  expect((await edit(user, post456)).status).toBe(403)
})

test('a custom role may suspend and approve without being moderator, and cannot suspend the staff', async () => {
  const [target, moderator] = await Promise.all([registeredUser(), registeredUser()])
  await setRole(moderator, 'moderator')
  const suspension = (of: RegisteredUser, method: string) =>
    eve.fetch(`/v1/accounts/${of.id}/suspension`, { method }).then(({ status }) => status)
  expect(await suspension(target, 'PUT')).toBe(403)
  await giveRole(eve, 'accounts:suspend', 'registrations:approve')
  expect((await eve.fetch('/v1/registrations')).status).toBe(200)
  expect(await suspension(target, 'PUT')).toBe(204)
  expect(await suspension(target, 'DELETE')).toBe(204)
  expect(await suspension(moderator, 'PUT')).toBe(403)
  expect(await suspension(eve, 'PUT')).toBe(422)
  expect((await eve.fetch('/v1/audit')).status).toBe(403)
  await put(`/accounts/${eve.id}/roles`, { roles: [] })
})

test('nobody can give themselves a role, an attribute or a grant, or extend a role of their own', async () => {
  const second = await registeredUser()
  await setRole(second, 'admin')
  const role = await giveRole(second, 'posts:edit')
  const own = `/accounts/${second.id}`
  const attempts = [
    put(`${own}/roles`, { roles: [role] }, second),
    put(`${own}/role`, { role: 'admin' }, second),
    put(`${own}/attributes`, { attributes: [] }, second),
    grant(second, 'post:1', {}, second),
    put(`/roles/${role}`, { permissions: ['audit:read-all'] }, second),
    put('/roles/admin', { permissions: [] }),
    put(`/accounts/${ada.id}/roles`, { roles: ['moderator'] }),
    put(`/accounts/${ada.id}/roles`, { roles: ['unknown-role'] }),
    put('/roles/novel', { permissions: ['posts:unknown'] }),
  ]
  for (const attempt of attempts) expect(await outcomeOf(await attempt)).toEqual([422, 'invalid'])
  for (const path of [`${own}/roles`, `${own}/attributes`]) {
    expect((await put(path, { roles: [role] }, eve)).status).toBe(403)
  }
})

test('each question is answered with the role, rule or grant that decides, and a denial says why', async () => {
  const asker = await registeredUser()
  const [own, others] = await Promise.all([newPost(asker), newPost(ada)])
  const editing = (id: string) => `action=posts:edit&thing=post:${id}`
  expect(await explained(asker, editing(own))).toMatchObject({
    allowed: true,
    decidedBy: { kind: 'rule', name: 'own-posts' },
  })
  expect(await explained(asker, editing(others))).toMatchObject({
    allowed: false,
    decidedBy: null,
    reason: 'No role, rule or grant allows it.',
  })
  const { id } = await (await grant(asker, `post:${others}`)).json<Created>()
  expect(await explained(asker, editing(others))).toMatchObject({
    allowed: true,
    decidedBy: { kind: 'grant', name: id },
  })
  const editor = await giveRole(asker, 'posts:edit')
  const byRole = { allowed: true, decidedBy: { kind: 'role', name: editor } }
  expect(await explained(asker, editing(others))).toMatchObject(byRole)
  expect(await explained(admin, `${editing(others)}&accountId=${asker.id}`)).toMatchObject(byRole)
  expect((await asker.fetch(`/v1/me/access?${editing(others)}&accountId=${ada.id}`)).status).toBe(403)
  await env.DIRECTORY.prepare('UPDATE users SET suspended = 1 WHERE id = ?').bind(Number(asker.id)).run()
  expect(await explained(admin, `${editing(others)}&accountId=${asker.id}`)).toMatchObject({
    allowed: false,
    decidedBy: { kind: 'rule', name: 'not-suspended' },
    reason: 'The rule not-suspended denies it.',
  })
})

test('new accounts may not publish while NEW_ACCOUNT_MINUTES says so, and the refusal names the rule', async () => {
  const newcomer = await registeredUser()
  const publish = () => newcomer.fetch('/v1/posts', { method: 'POST', json: { text: 'hello' } })
  Object.assign(env, { NEW_ACCOUNT_MINUTES: '60' })
  const refused = await publish()
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ code: 'forbidden', detail: 'The rule account-age denies it' })
  Object.assign(env, { NEW_ACCOUNT_MINUTES: '0' })
  expect((await publish()).status).toBe(201)
})

const directoryTrips = ({ headers }: Response) => JSON.parse(headers.get('x-cost')!).directoryTrips

test('rights travel with the lease: only the first request after an empty guard reads the directory', async () => {
  const holder = await registeredUser()
  const postId = await newPost(ada)
  await grant(holder, `post:${postId}`)
  // An edit of the post of somebody else reads the time of the login.
  const trips = async () => directoryTrips(await edit(holder, postId)) - 1
  await trips() // a lease from before the grant may still be stored meanwhile
  expect(await trips()).toBe(0)
  await drained() // an event about the grant would fill the guard again
  await env.GUARD.getByName(`user:${holder.id}`).erase()
  clock.advance(LEASE_MS)
  expect(await trips()).toBe(1)
  await drained()
  clock.advance(LEASE_MS)
  expect(await trips()).toBe(0)
  expect(directoryTrips(await holder.fetch('/v1/accounts/me'))).toBe(0)
})

test('a change takes effect at once in this isolate, and within two seconds in another one', async () => {
  const holder = await registeredUser()
  const postId = await newPost(ada)
  const other = await anotherIsolate()
  const editThere = async () => {
    const headers = { authorization: `Bearer ${holder.token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ text: crypto.randomUUID() })
    return (await other.fetch(`/v1/posts/${postId}`, { method: 'PATCH', headers, body })).status
  }
  expect([await editThere(), (await edit(holder, postId)).status]).toEqual([403, 403])
  await giveRole(holder, 'posts:edit')
  expect((await edit(holder, postId)).status).toBe(200)
  clock.advance(LEASE_MS)
  expect(await editThere()).toBe(200)
  await put(`/accounts/${holder.id}/roles`, { roles: [] })
  expect((await edit(holder, postId)).status).toBe(403)
  clock.advance(LEASE_MS)
  expect(await editThere()).toBe(403)
})

test('a deleted role is gone for everyone who had it, also when a new role gets its name', async () => {
  const holder = await registeredUser()
  const postId = await newPost(ada)
  const name = await giveRole(holder, 'posts:edit')
  expect((await edit(holder, postId)).status).toBe(200)
  expect((await admin.fetch(`/v1/roles/${name}`, { method: 'DELETE' })).status).toBe(204)
  expect((await edit(holder, postId)).status).toBe(403)
  expect((await put(`/roles/${name}`, { permissions: ['posts:edit'] })).status).toBe(204)
  expect((await edit(holder, postId)).status).toBe(403)
})

test('an account has at most 50 grants; giving one again only changes its expiry', async () => {
  const holder = await registeredUser()
  const row = { account_id: Number(holder.id), action: 'posts:edit' }
  const rows = Array.from({ length: MAX_GRANTS }, (_, i) => ({ id: 1_000 + i, ...row, thing: `post:${i + 1}` }))
  await insertRows(env.DIRECTORY, 'grants', rows)
  expect(await outcomeOf(await grant(holder, 'post:900'))).toEqual([409, 'conflict'])
  const until = '2999-01-01T00:00:00.000Z'
  expect(await (await grant(holder, 'post:7', { until })).json()).toMatchObject({ id: '1006', until })
  expect((await grant(holder, 'post:7', { until: '2020-01-01T00:00:00Z' })).status).toBe(422)
})

test('an admin reads what an account has, and attributes replace the former ones', async () => {
  const holder = await registeredUser()
  const role = await giveRole(holder, 'posts:edit')
  const attributes = [{ name: 'department', value: 'finance' }]
  await put(`/accounts/${holder.id}/attributes`, { attributes: [{ name: 'floor', value: '3' }] })
  expect((await put(`/accounts/${holder.id}/attributes`, { attributes })).status).toBe(200)
  const access = await (await admin.fetch(`/v1/accounts/${holder.id}/access`)).json()
  expect(access).toEqual({ accountId: holder.id, roles: ['user', role], attributes, grants: [] })
  const twice = { attributes: [...attributes, ...attributes] }
  expect((await put(`/accounts/${holder.id}/attributes`, twice)).status).toBe(422)
  await drained()
  const entries = (await auditOf(holder.id)).map(({ action, actorId }) => [action, actorId])
  expect(entries).toEqual(
    expect.arrayContaining([
      ['attributes-given', admin.id],
      ['roles-given', admin.id],
    ]),
  )
})
