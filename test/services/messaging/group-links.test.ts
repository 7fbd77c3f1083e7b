import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { acceptConversation } from '../../../src/services/messaging/conversations.ts'
import {
  createGroupLink,
  joinGroupByLink,
  previewGroup,
  revokeGroupLink,
} from '../../../src/services/messaging/group-links.ts'
import { editGroup, getGroup } from '../../../src/services/messaging/groups.ts'
import { approveJoinRequest, listJoinRequests, refuseJoinRequest } from '../../../src/services/messaging/members.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { conversationObject, delivered, inboxOf, say, textsFor } from '../../support/conversations.ts'
import { countRows } from '../../support/databases.ts'
import { add, askToJoin, groupOf, leave, linkTo, membersFor, remove, setRole } from '../../support/groups.ts'
import { queues } from '../../support/manual-queues.ts'
import { seedFollows } from '../../support/seed.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { asUser, failure } from '../../support/viewers.ts'

let ada: Id
let bob: Id
let eve: Id
let id: string
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, eve] = await accountsOn(0, 1, 1)
  id = await groupOf(ada, [bob])
})

const join = (by: Id, code: string) => joinGroupByLink(asUser(by), { code })
const look = (by: Id, code: string) => previewGroup(asUser(by), { code })
const requests = async (by: Id) => (await listJoinRequests(asUser(by), { groupId: id, limit: 50 })).items
const absent = failure('not_found')

test('a link shows the name and the number of members, and nothing else, and who joins by it is a member at once', async () => {
  await say(ada, id, 'secret')
  const code = await linkTo(ada, id)
  expect(await look(eve, code)).toEqual({ name: 'engines', memberCount: 2 })
  expect(await join(eve, code)).toEqual({ conversationId: id, outcome: 'joined' })
  expect(await join(eve, code)).toEqual({ conversationId: id, outcome: 'joined' })
  await delivered(id)
  expect(await textsFor(eve, id)).toEqual([null])
  expect(await inboxOf(eve)).toMatchObject([{ id, memberCount: 3, lastMessage: { event: 'joined' } }])
})

test('wrong, revoked, replaced and expired links, and links of no group, give the same failure and store nothing', async () => {
  const replaced = await linkTo(ada, id)
  const revoked = await linkTo(ada, id)
  await revokeGroupLink(asUser(ada), { groupId: id })
  const wrong = `${id}.${'A'.repeat(22)}`
  const nowhere = `${'f'.repeat(32)}.${'A'.repeat(22)}`
  for (const code of [replaced, revoked, wrong, nowhere]) {
    await expect(look(eve, code)).rejects.toThrow(absent)
    await expect(join(eve, code)).rejects.toThrow(absent)
  }
  const { code } = await createGroupLink(asUser(ada), { groupId: id, audience: 'anyone', approval: false, hours: 1 })
  expect(await look(eve, code)).toMatchObject({ memberCount: 2 })
  vi.setSystemTime(Date.now() + 3_600_001)
  await expect(join(eve, code)).rejects.toThrow(absent)
  vi.useRealTimers()
  expect(await countRows('conversations', { account_id: eve })).toBe(0)
})

test('a link for people whom the owner follows is for no others, and none is for whom a block separates from the owner', async () => {
  const [friend] = await bulkIds(1)
  await seedFollows([[ada, friend!]])
  const followed = await linkTo(ada, id, { audience: 'followed' })
  await expect(look(eve, followed)).rejects.toThrow(absent)
  expect(await join(friend!, followed)).toMatchObject({ outcome: 'joined' })
  const open = await linkTo(ada, id)
  await blockAccount(asUser(eve), { accountId: ada })
  await expect(join(eve, open)).rejects.toThrow(absent)
})

test('with approval, who asks is no member and sees nothing until an admin decides', async () => {
  const code = await linkTo(ada, id, { approval: true })
  expect(await join(eve, code)).toMatchObject({ outcome: 'asked' })
  await expect(textsFor(eve, id)).rejects.toThrow(absent)
  await delivered(id)
  expect([await inboxOf(eve), await inboxOf(eve, 'request')]).toEqual([[], []])
  await expect(requests(bob)).rejects.toThrow(failure('forbidden'))
  expect(await requests(ada)).toMatchObject([{ id: `${id}.${eve}`, account: { id: eve } }])
  await refuseJoinRequest(asUser(ada), { requestId: `${id}.${eve}` })
  expect(await requests(ada)).toEqual([])
  await expect(approveJoinRequest(asUser(ada), { requestId: `${id}.${eve}` })).rejects.toThrow(absent)
  await join(eve, code)
  await expect(approveJoinRequest(asUser(bob), { requestId: `${id}.${eve}` })).rejects.toThrow(failure('forbidden'))
  await approveJoinRequest(asUser(ada), { requestId: `${id}.${eve}` })
  expect((await membersFor(bob, id)).map(({ account }) => account.id)).toContain(eve)
})

test('who was removed does not come back by a link, and who left does', async () => {
  const code = await linkTo(ada, id)
  await leave(bob, id)
  expect(await join(bob, code)).toMatchObject({ outcome: 'joined' })
  await remove(ada, id, bob)
  await expect(look(bob, code)).rejects.toThrow(absent)
  await expect(join(bob, code)).rejects.toThrow(absent)
  await add(ada, id, bob)
  expect((await membersFor(ada, id)).map(({ account }) => account.id)).toContain(bob)
})

test('only admins see that there is a link, nobody sees its secret again, and the object has only a hash', async () => {
  const code = await linkTo(ada, id)
  const [, secret = ''] = code.split('.')
  expect(secret).toHaveLength(22)
  expect((await getGroup(asUser(ada), { groupId: id })).link).toEqual({
    audience: 'anyone',
    approval: false,
    expiresAt: null,
  })
  expect((await getGroup(asUser(bob), { groupId: id })).link).toBeNull()
  await expect(linkTo(bob, id)).rejects.toThrow(failure('forbidden'))
  const stored = await runInDurableObject(conversationObject(id), (_, { storage }) =>
    storage.sql.exec('SELECT * FROM groups').toArray(),
  )
  expect(JSON.stringify(stored)).not.toContain(secret)
})

test('an address tries 60 links an hour', async () => {
  await trustTestKey()
  const token = await mint(eve)
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'cf-connecting-ip': '203.0.113.77',
  }
  const body = JSON.stringify({ code: `${'f'.repeat(32)}.${'A'.repeat(22)}` })
  const tries = Array.from({ length: 61 }, () =>
    fetchWith(Object.assign({}, queues.context().env, { REQUESTS_PER_MINUTE: '1000' }), '/v1/group-links/preview', {
      method: 'POST',
      headers,
      body,
    }),
  )
  const statuses = (await Promise.all(tries)).map(({ status }) => status)
  expect([
    statuses.filter((status) => status === 404).length,
    statuses.filter((status) => status === 429).length,
  ]).toEqual([60, 1])
})

test('a block after the request to join, or after the invitation, keeps both apart', async () => {
  await askToJoin(ada, id, eve)
  await blockAccount(asUser(ada), { accountId: eve })
  await expect(approveJoinRequest(asUser(ada), { requestId: `${id}.${eve}` })).rejects.toThrow(absent)
  const [invited] = await bulkIds(1)
  await add(ada, id, invited!)
  await blockAccount(asUser(invited!), { accountId: ada })
  await queues.deliver({ times: 2 })
  await expect(acceptConversation(asUser(invited!), { conversationId: id })).rejects.toThrow(absent)
  await delivered(id)
  expect(await inboxOf(invited!, 'request')).toMatchObject([{ id, name: null, lastMessage: { authorId: null } }])
})

test('a refused request to join leaves no row, and a group has at most 500 open requests', async () => {
  await askToJoin(ada, id, eve)
  await refuseJoinRequest(asUser(ada), { requestId: `${id}.${eve}` })
  await refuseJoinRequest(asUser(ada), { requestId: `${id}.${eve}` })
  await runInDurableObject(conversationObject(id), (_, { storage }) => {
    expect(storage.sql.exec('SELECT * FROM members').toArray()).toHaveLength(2)
    for (let n = 1; n <= 500; n++)
      storage.sql.exec("INSERT INTO members (account_id, state, read_seq) VALUES (?, 'asking', 0)", n)
    const scanned = storage.sql.exec("SELECT * FROM members WHERE state = 'active'")
    expect(scanned.toArray().length).toBe(2)
    expect(scanned.rowsRead).toBeLessThan(10)
  })
  await expect(askToJoin(ada, id, eve)).rejects.toThrow(failure('conflict'))
})

test('an admin who has named the group, left and was refused takes no name along, and is erased completely', async () => {
  await setRole(ada, id, bob, 'admin')
  await editGroup(asUser(bob), { groupId: id, name: 'looms' })
  await leave(bob, id)
  await askToJoin(ada, id, bob)
  await refuseJoinRequest(asUser(ada), { requestId: `${id}.${bob}` })
  expect(await getGroup(asUser(ada), { groupId: id })).toMatchObject({ name: 'looms' })
  await conversationObject(id).erase(bob)
  expect(await getGroup(asUser(ada), { groupId: id })).toMatchObject({ name: 'looms' })
  const stored = await runInDurableObject(conversationObject(id), (_, { storage }) =>
    ['members', 'group_events', 'groups'].map((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray()),
  )
  expect(JSON.stringify(stored)).not.toContain(bob)
})
