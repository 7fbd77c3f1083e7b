import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { groupAccountMinutes } from '../../../src/services/access/variables.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import {
  acceptConversation,
  countUnreadMessages,
  declineConversation,
  getConversation,
  readConversationLog,
} from '../../../src/services/messaging/conversations.ts'
import { createGroup, getGroup } from '../../../src/services/messaging/groups.ts'
import { listMessages, markConversationRead } from '../../../src/services/messaging/messages.ts'
import { accountsOn, bulkIds, markSuspended } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { conversationObject, delivered, inboxOf, opened, say, textsFor } from '../../support/conversations.ts'
import { count, countRows } from '../../support/databases.ts'
import { add, eventsFor, everything, groupOf, membersFor, remove, setRole, started } from '../../support/groups.ts'
import { queues } from '../../support/manual-queues.ts'
import { seedFollows } from '../../support/seed.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { asUser, failure } from '../../support/viewers.ts'

// Ada owns the groups. Bob and Cleo follow her, and Eve is a stranger.
let ada: Id
let bob: Id
let cleo: Id
let eve: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cleo, eve] = await accountsOn(0, 1, 0, 1)
})
afterEach(() => void Reflect.deleteProperty(env, 'GROUP_ACCOUNT_MINUTES'))

const withKey = (id: Id, idempotencyKey: string) => ({ ...asUser(id), idempotencyKey })

test('a group is in the inboxes of its members, with its name and count, and all read the same messages', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await say(bob, id, 'hello')
  await delivered(id)
  for (const member of [ada, bob, cleo]) {
    const [shown] = await inboxOf(member)
    const unread = member === bob ? 0 : member === ada ? 1 : 2
    const group = { id, kind: 'group', name: 'engines', memberCount: 3, account: null, ended: false }
    expect(shown).toMatchObject({ ...group, unread, lastMessage: { seq: 2, authorId: bob, preview: 'hello' } })
    expect(await eventsFor(member, id)).toEqual(['created', 'hello'])
    expect((await readConversationLog(asUser(member), { limit: 5 })).items).toHaveLength(1)
  }
  expect(await countUnreadMessages(asUser(cleo))).toMatchObject({ messages: 2, conversations: 1 })
  expect((await membersFor(bob, id)).map(({ account, role }) => [account.id, role])).toEqual(
    [
      [ada, 'owner'],
      [bob, 'member'],
      [cleo, 'member'],
    ].toSorted(([a], [b]) => Number(b) - Number(a)),
  )
})

test('a repeated request with the same key makes one group, and another body is refused', async () => {
  await seedFollows([[bob, ada]])
  const input = { name: 'engines', members: [bob] }
  const [first, second] = await Promise.all([
    createGroup(withKey(ada, 'k'), input),
    createGroup(withKey(ada, 'k'), input),
  ])
  const third = await createGroup(withKey(ada, 'k'), input)
  expect([second.value.id, third.value.id, third.replayed]).toEqual([first.value.id, first.value.id, true])
  await expect(createGroup(withKey(ada, 'k'), { ...input, name: 'other' })).rejects.toThrow(
    failure('idempotency_mismatch'),
  )
  expect((await createGroup(withKey(bob, 'k'), { name: 'engines', members: [] })).value.id).not.toBe(first.value.id)
})

test('new accounts start no groups for a day, and the operator may change that', async () => {
  await trustTestKey()
  const headers = { authorization: `Bearer ${await mint(ada)}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'engines' })
  const statusWith = async (variables: object) =>
    (await fetchWith(Object.assign({ ...env }, variables), '/v1/groups', { method: 'POST', headers, body })).status
  expect(await statusWith({ GROUP_ACCOUNT_MINUTES: '1440' })).toBe(403)
  expect(await statusWith({ GROUP_ACCOUNT_MINUTES: '0' })).toBe(201)
  const envOf = (ENVIRONMENT: string) => ({ env: Object.assign({ ...env }, { ENVIRONMENT }) })
  expect([groupAccountMinutes(envOf('production')), groupAccountMinutes(envOf('development'))]).toEqual([1_440, 0])
})

test('names that are empty or too long, unknown accounts, and those on either side of a block are refused', async () => {
  await expect(started(ada, [], ' \u200b ')).rejects.toThrow(failure('invalid'))
  await expect(started(ada, [], 'x'.repeat(101))).rejects.toThrow(failure('invalid'))
  await blockAccount(asUser(bob), { accountId: ada })
  await expect(started(ada, [bob])).rejects.toThrow(failure('invalid'))
  await expect(started(bob, [ada])).rejects.toThrow(failure('invalid'))
  const id = await groupOf(ada, [cleo])
  await expect(add(ada, id, bob)).rejects.toThrow(failure('not_found'))
  expect(await countRows('conversations', { account_id: bob })).toBe(0)
})

test('who does not follow the inviter gets a request, reads nothing, and has joined only when it accepts', async () => {
  const id = await started(ada, [eve])
  await say(ada, id, 'before')
  await delivered(id)
  const request = { id, state: 'request', name: 'engines', memberCount: 1, unread: 1 }
  expect(await inboxOf(eve, 'request')).toMatchObject([
    { ...request, lastMessage: { event: 'invited', authorId: ada, preview: null } },
  ])
  expect(await countUnreadMessages(asUser(eve))).toMatchObject({ messages: 0, requests: 1 })
  expect(await getConversation(asUser(eve), { conversationId: id })).toMatchObject(request)
  await expect(textsFor(eve, id)).rejects.toThrow(failure('not_found'))
  await expect(say(eve, id, 'hello')).rejects.toThrow(failure('not_found'))
  await markConversationRead(asUser(eve), { conversationId: id, seq: 99 })
  expect(await inboxOf(eve, 'request')).toMatchObject([{ unread: 0 }])
  await acceptConversation(asUser(eve), { conversationId: id })
  expect(await inboxOf(eve)).toMatchObject([{ id, memberCount: 2, unread: 0, lastMessage: { event: 'joined' } }])
  expect(await eventsFor(eve, id)).toEqual(['joined'])
  expect(await eventsFor(ada, id)).toEqual(['created', 'before', 'joined'])
})

test('declining a group hides it, and inviting again changes nothing and tells nobody', async () => {
  const id = await started(ada, [eve])
  await declineConversation(asUser(eve), { conversationId: id })
  await add(ada, id, eve)
  await delivered(id)
  expect([await inboxOf(eve), await inboxOf(eve, 'request')]).toEqual([[], []])
  expect(await inboxOf(eve, 'declined')).toMatchObject([{ id, state: 'declined' }])
  expect(await eventsFor(ada, id)).toEqual(['created'])
  await remove(ada, id, eve)
  await expect(remove(ada, id, cleo)).rejects.toThrow(failure('not_found'))
})

test('a group has 100 members with those who were asked, and starting it sends at most 50 requests a day', async () => {
  const many = await bulkIds(101)
  const id = await groupOf(ada, many.slice(0, 98))
  await add(ada, id, eve)
  await expect(add(ada, id, many[99]!)).rejects.toThrow(failure('conflict'))
  await add(ada, id, eve)
  expect(await getGroup(asUser(ada), { groupId: id })).toMatchObject({ memberCount: 99 })
  await expect(started(bob, many.slice(0, 51))).rejects.toThrow(failure('invalid'))
  await started(bob, many.slice(0, 30))
  await expect(started(bob, many.slice(0, 30))).rejects.toThrow(failure('rate_limited'))
  await started(bob, many.slice(0, 20))
})

test('two members of whom one blocks the other see nothing of each other, and the group goes on', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await say(bob, id, 'from bob')
  await say(cleo, id, 'from cleo')
  await blockAccount(asUser(bob), { accountId: cleo })
  await queues.deliver({ times: 2 })
  expect(await eventsFor(bob, id)).toEqual(['created', 'from bob', null])
  expect(await eventsFor(cleo, id)).toEqual(['created', null, 'from cleo'])
  expect(await eventsFor(ada, id)).toEqual(['created', 'from bob', 'from cleo'])
  await delivered(id)
  expect((await inboxOf(bob))[0]).toMatchObject({ ended: false, lastMessage: { authorId: null, preview: null } })
  expect((await membersFor(bob, id)).map(({ account }) => account.id)).not.toContain(cleo)
  expect((await say(bob, id, 'still here')).seq).toBe(4)
  await setRole(ada, id, cleo, 'admin')
  const { items } = await listMessages(asUser(bob), { conversationId: id, after: 4, limit: 1 })
  expect(items).toMatchObject([{ kind: 'system', authorId: null, event: { actor: { id: ada }, subject: null } }])
})

test('the members of a pair are both, whatever the other has answered', async () => {
  const id = await opened(ada, eve)
  const both = async () => (await membersFor(ada, id)).map(({ account, role, since }) => [account.id, role, since])
  await say(ada, id, 'hello')
  const before = await both()
  expect(before).toHaveLength(2)
  await acceptConversation(asUser(eve), { conversationId: id })
  expect(await both()).toEqual(before)
  await declineConversation(asUser(eve), { conversationId: id })
  expect(await both()).toEqual(before)
})

test('nobody sees a suspended member in the list, the events and the messages of a group', async () => {
  const id = await groupOf(ada, [bob, cleo])
  await say(bob, id, 'hello')
  await setRole(ada, id, bob, 'admin')
  await markSuspended(bob)
  await delivered(id)
  expect((await membersFor(cleo, id)).map(({ account }) => account.id)).not.toContain(bob)
  const { items } = await listMessages(asUser(cleo), { conversationId: id, after: 1, limit: 2 })
  expect(items).toMatchObject([{ event: { event: 'promoted', subject: null } }, { authorId: null, text: null }])
})

test('for others, a group does not exist; no database has its name or texts in clear', async () => {
  const id = await groupOf(ada, [bob], 'zqname')
  await say(ada, id, 'zqtext')
  await delivered(id)
  for (const read of everything(eve, id)) await expect(read()).rejects.toThrow(failure('not_found'))
  for (const read of everything(eve, 'f'.repeat(32))) await expect(read()).rejects.toThrow(failure('not_found'))
  const clear = "SELECT count(*) n FROM conversations WHERE name LIKE '%zqname%' OR preview LIKE '%zqtext%'"
  expect(await count(clear)).toBe(0)
  const stored = await runInDurableObject(conversationObject(id), (_, { storage }) =>
    storage.sql.exec('SELECT * FROM groups').toArray(),
  )
  expect(JSON.stringify(stored)).not.toMatch(/zq(name|text)/)
})
