import { introspectWorkflowInstance } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { type Id, shardOf } from '../../../src/platform/data/ids.ts'
import { openFor, sealFor } from '../../../src/platform/security/account-keys.ts'
import { beginErasure } from '../../../src/services/privacy/erasure.ts'
import { bulkIds, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { logIn } from '../../support/auth.ts'
import { insertRows, shardHolding } from '../../support/databases.ts'
import { due, erase, runJob, startDue, traces } from '../../support/erasures.ts'
import { jpeg, uploadForm } from '../../support/images.ts'
import { inventory } from '../../support/inventory.ts'
import { drained } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'
import { pushSubscription } from '../../support/push-subscription.ts'
import { insertDelivery } from '../../support/pushes.ts'
import { residueOf } from '../../support/residue.ts'
import { seedFollows, seedLikes, seedPosts } from '../../support/seed.ts'
import { until } from '../../support/until.ts'
import { acceptMessages } from '../../support/webhooks.ts'

const MARKER = 'mark3r'
type Column = { name: string; type: string; notnull: number; pk: number }
const call = async (user: RegisteredUser, method: string, path: string, json?: unknown) => {
  const response = await user.fetch(path, { method, json })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.status === 204 ? null : response.json<{ id: Id }>()
}
const countsOf = async (user: RegisteredUser) => {
  const response = await user.fetch(`/v1/accounts/${user.id}`)
  const { followerCount, followingCount } = await response.json<Record<string, number>>()
  return { followerCount, followingCount }
}

/** A user who has used everything, with another user on every list. The texts of the user contain `MARKER`. */
async function livedThrough(handle: string) {
  const [ada, bob] = [await registeredUser(handle), await registeredUser(`${handle}_friend`)]
  acceptMessages()
  const webhook = { url: `https://hooks.example.org/${MARKER}`, events: ['post.liked'], description: MARKER }
  await call(ada, 'POST', '/v1/webhooks', webhook)
  const image = await (await ada.fetch('/v1/media', { method: 'POST', body: uploadForm(jpeg(), MARKER) })).json<{
    id: Id
  }>()
  await ada.fetch('/v1/media', { method: 'POST', body: uploadForm(jpeg(), MARKER) })
  await ada.fetch('/v1/accounts/me/avatar', { method: 'PUT', body: uploadForm(jpeg()) })
  await ada.fetch('/v1/accounts/me/header', { method: 'PUT', body: uploadForm(jpeg()) })
  await call(ada, 'PATCH', '/v1/accounts/me', { displayName: MARKER, bio: MARKER })
  const keyed = { method: 'POST', json: { text: `${MARKER} @${bob.handle}`, media: [image.id] } }
  const post = await (await ada.fetch('/v1/posts', { ...keyed, headers: { 'idempotency-key': MARKER } })).json<{
    id: Id
  }>()
  const kept = (await call(bob, 'POST', '/v1/posts', { text: 'kept' }))!
  const comment = (await call(ada, 'POST', '/v1/posts', { text: MARKER, parentId: kept.id }))!
  const reply = (await call(bob, 'POST', '/v1/posts', { text: 'a reply', parentId: post.id }))!
  await call(ada, 'PUT', `/v1/posts/${kept.id}/like`)
  await call(bob, 'PUT', `/v1/posts/${post.id}/like`)
  await call(ada, 'PUT', `/v1/posts/${reply.id}/like`)
  await drained()
  await call(ada, 'DELETE', `/v1/posts/${reply.id}/like`)
  for (const [one, other] of [
    [ada, bob],
    [bob, ada],
  ] as const)
    await call(one, 'PUT', `/v1/accounts/${other.id}/follow`)
  await ada.fetch(`/v1/handles/${ada.handle}`)
  await call(ada, 'PUT', `/v1/tags/${MARKER}/follow`)
  await call(ada, 'PUT', '/v1/notifications/read')
  await call(ada, 'PUT', '/v1/me/notification-preferences', { rules: { like: { mail: 'everyone' } } })
  await insertDelivery(ada.id)
  await call(ada, 'POST', '/v1/me/push-subscriptions', pushSubscription())
  await call(ada, 'PUT', '/v1/me/activity-choice', { agreed: true })
  const conversation = (await call(ada, 'POST', '/v1/conversations', { accountId: bob.id }))!
  await call(ada, 'POST', `/v1/conversations/${conversation.id}/messages`, { clientId: 'client-id', text: MARKER })
  const group = (await call(ada, 'POST', '/v1/groups', { name: MARKER, members: [bob.id] }))!
  await call(ada, 'POST', `/v1/conversations/${group.id}/messages`, { clientId: 'client-id', text: MARKER })
  await call(ada, 'PUT', '/v1/me/message-settings', { sharesMarks: false })
  await call(ada, 'PUT', `/v1/accounts/${(await registeredUser()).id}/block`)
  await drained()
  // As if the post had many likes.
  const list = 'insert into post_likers select post_id, id, account_id from likes where post_id = ?'
  await shardHolding(kept.id).prepare(list).bind(Number(kept.id)).run()
  return { ada, bob, post, kept, comment, reply }
}

/** The tables of shards and of the index that have no row of the account, although they have a column for its owner. */
async function unusedTables(accountId: Id): Promise<string[]> {
  const residue = await residueOf([accountId], MARKER)
  const used = (column: string) => residue.some((place) => place.endsWith(`.${column}`))
  const columns = [...inventory].flatMap(([table, classes]) =>
    Object.keys(classes).flatMap((column) =>
      classes[column] === 'owner' ? [{ table, column: `${table}.${column}` }] : [],
    ),
  )
  const { results } = await env.DIRECTORY.prepare("select name from sqlite_master where type = 'table'").all<Column>()
  const elsewhere = new Set([...results.map(({ name }) => name), 'audit_entries', 'rollups', 'sketches'])
  const isElsewhere = (table: string) => elsewhere.has(table) || table.startsWith('object ')
  return columns.flatMap(({ table, column }) => (used(column) || isElsewhere(table) ? [] : [table]))
}

beforeEach(() => void vi.spyOn(env.MAIL, 'send').mockResolvedValue({ messageId: 'sent' }))

test('an erasure leaves nothing of the account but a tombstone of its handle, and nothing of others is deleted', async () => {
  const { ada, bob, post, kept, comment, reply } = await livedThrough('ada_erased')
  expect(await unusedTables(ada.id)).toEqual([])
  const sealed = await sealFor(contextWith(), ada.id, MARKER, 'note')
  await due(ada)
  await erase(ada)
  const ofReply = ['parent_author_id', 'parent_id', 'root_id'].map(
    (column) => `SHARD_${shardOf(bob.id)}.posts.${column}`,
  )
  // Bob's reply stays, and names the deleted root as it would if Ada had deleted the post.
  expect(await residueOf([ada.id, post.id, comment.id], MARKER)).toEqual([...traces, ...ofReply].sort())
  expect(await openFor(contextWith(), ada.id, sealed, 'note')).toBeNull()
  expect((await env.MEDIA.list()).objects).toEqual([])
  expect(await env.CACHE.get(`handle:${ada.handle}`)).toBeNull()
  expect(await countsOf(bob)).toEqual({ followerCount: 0, followingCount: 0 })
  const read = await (await bob.fetch(`/v1/posts/${kept.id}`)).json()
  expect(read).toMatchObject({ likeCount: 0, commentCount: 0 })
  const { items } = await (await bob.fetch('/v1/me/comments')).json<{ items: { id: Id }[] }>()
  expect(items.map(({ id }) => id)).toEqual([reply.id])
  expect(await (await bob.fetch('/v1/notifications')).json()).toMatchObject({ items: [] })
})

test('an image whose post is gone is erased too, although the event that deletes it became a dead letter', async () => {
  const amy = await registeredUser('amy_erased')
  const upload = await amy.fetch('/v1/media', { method: 'POST', body: uploadForm(jpeg(), MARKER) })
  const { id } = await upload.json<{ id: Id }>()
  await shardHolding(amy.id).prepare('update media set post_id = 4711 where id = ?').bind(Number(id)).run()
  await due(amy)
  await erase(amy)
  expect(await residueOf([amy.id, id], MARKER)).toEqual(traces)
  expect((await env.MEDIA.list({ prefix: `media/${id}` })).objects).toEqual([])
})

test('an account with more of everything than one step erases is erased completely', async () => {
  const eve = await registeredUser('eve_erased')
  const others = await bulkIds(55)
  const posts = await seedPosts(Array(30).fill(eve.id))
  const liked = await seedPosts(others)
  await seedFollows(others.flatMap((id) => [[id, eve.id] as const, [eve.id, id] as const]))
  await seedLikes(liked.map((id) => [eve.id, id] as const))
  await due(eve)
  await erase(eve)
  expect(await residueOf([eve.id, ...posts], 'eve@')).toEqual(traces)
}, 120_000)

test('every table of the directory that the inventory gives to a person is erased, also one that is added later', async () => {
  const kim = await registeredUser('kim_erased')
  // These need rows of other tables, which the other tests create.
  const excluded = ['deletions', 'refresh_tokens', 'users', 'handles']
  const planted: string[] = []
  for (const [table, classes] of inventory) {
    const owner = Object.keys(classes).find((column) => classes[column] === 'owner')
    const { results } = await env.DIRECTORY.prepare(`pragma table_info('${table}')`).all<Column>()
    if (!owner || results.length === 0 || excluded.includes(table)) continue
    const filled = results.filter(({ name, notnull, pk }) => name === owner || notnull || pk)
    const values = filled.map(({ name, type }, i) =>
      name === owner ? Number(kim.id) : type === 'INTEGER' ? 9_000_000 + i : `planted ${i}`,
    )
    await insertRows(env.DIRECTORY, table, [Object.fromEntries(filled.map(({ name }, i) => [name, values[i]!]))])
    planted.push(`DIRECTORY.${table}.${owner}`)
  }
  expect(planted.length).toBeGreaterThan(4)
  expect(await residueOf([kim.id], 'kim_erased@')).toEqual(expect.arrayContaining(planted))
  await due(kim)
  await erase(kim)
  expect(await residueOf([kim.id], 'kim_erased@')).toEqual(traces)
})

test('steps that fail are repeated, and reach the same result', async () => {
  const { ada: fay, post, comment, bob } = await livedThrough('fay_erased')
  await due(fay)
  await erase(fay, ['begin', 'media 1.1', 'posts 1.1', 'accounts 1.1', 'identity 1.1', 'finish'])
  const ofReply = ['parent_author_id', 'parent_id', 'root_id'].map((name) => `SHARD_${shardOf(bob.id)}.posts.${name}`)
  expect(await residueOf([fay.id, post.id, comment.id], MARKER)).toEqual([...traces, ...ofReply].sort())
})

test('either a login cancels the deletion or the erasure begins, never both', async () => {
  const outcomes = new Set<string>()
  for (let i = 0; i < 6; i++) {
    const user = await registeredUser(`race_${i}_erased`)
    await due(user)
    const later = new Promise((resolve) => setTimeout(resolve, i * 4))
    const [login, begun] = await Promise.all([
      logIn(user.handle),
      later.then(() => beginErasure(contextWith(), user.id)),
    ])
    expect(login.status).toBe(begun ? 401 : 200)
    outcomes.add(`${login.status}`)
    expect(await env.KEYS.head(`erased/${user.id}`)).toEqual(begun ? expect.anything() : null)
  }
  expect(outcomes.size).toBeGreaterThan(0)
})

test('an account whose Workflow found its deletion cancelled can be erased later', async () => {
  const gus = await registeredUser('gus_erased')
  await due(gus)
  const response = await logIn(gus.handle)
  await env.ERASURES.create({ id: gus.id, params: { accountId: gus.id } })
  await until(async () => (await stateOf(gus.id)) === 'complete')
  expect(await residueOf([gus.id], MARKER)).toContain('DIRECTORY.users.id')
  const { accessToken } = await response.json<{ accessToken: string }>()
  await due(Object.assign(gus, { token: accessToken }))
  await runJob(startDue)
  await until(async () => (await residueOf([gus.id], MARKER)).join() === traces.join())
})

test('a Workflow that has stopped with an error is started again', async () => {
  const hal = await registeredUser('hal_erased')
  await due(hal)
  const refuse = "create trigger refuse before delete on accounts begin select raise(abort, 'the shard is down'); end"
  await shardHolding(hal.id).prepare(refuse).run()
  await using instance = await introspectWorkflowInstance(env.ERASURES, hal.id)
  await instance.modify(async (modifier) => modifier.disableRetryDelays())
  await runJob(startDue)
  await instance.waitForStatus('errored')
  await shardHolding(hal.id).prepare('drop trigger refuse').run()
  await runJob(startDue)
  expect(await stateOf(hal.id)).toBe('errored')
  await env.DIRECTORY.prepare('update deletions set progressed_at = 0').run()
  await runJob(startDue)
  await until(async () => (await stateOf(hal.id)) === 'complete')
  await drained()
  expect(await residueOf([hal.id], 'hal_erased@')).toEqual(traces)
})

const stateOf = async (id: Id) => (await (await env.ERASURES.get(id)).status()).status
