import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { configOf } from '../src/platform/config.ts'
import type { UserCtx } from '../src/platform/context.ts'
import type { Id } from '../src/platform/data/ids.ts'
import { hubName } from '../src/platform/realtime/hubs.ts'
import { sealFor } from '../src/platform/security/account-keys.ts'
import { listConversations } from '../src/services/messaging/conversations.ts'
import { joinGroupByLink } from '../src/services/messaging/group-links.ts'
import { createGroup, editGroup, getGroup, leaveGroup } from '../src/services/messaging/groups.ts'
import { deliverInboxes } from '../src/services/messaging/inboxes.ts'
import { addMember, listMembers, removeMember, setMemberRole } from '../src/services/messaging/members.ts'
import { listMessages, sendMessage } from '../src/services/messaging/messages.ts'
import { bulkIds } from './support/actors.ts'
import { type Budget, costOf, expectWithin, PAGE } from './support/budgets.ts'
import { delivered, say } from './support/conversations.ts'
import { linkTo, started } from './support/groups.ts'
import { seedFollows } from './support/seed.ts'
import { openSocket } from './support/sockets.ts'
import { asUser } from './support/viewers.ts'

// Checks the budgets of groups in docs/architecture.md. What an object does after its answer is not part of them.

const SHARDS = 2

async function people(count: number): Promise<[Id, ...Id[]]> {
  const [owner, ...others] = await bulkIds(count)
  await seedFollows(others.map((other) => [other, owner!]))
  return [owner!, ...others]
}

test.each([2, 10, 100])('in a group of %i, the cost of sending does not depend on its size', async (size) => {
  const [owner, ...others] = await people(size)
  const within = async (name: string, budget: Budget, run: (ctx: UserCtx) => Promise<unknown>) =>
    expectWithin(`${name} of ${size}`, await costOf(owner, run), budget)
  const creation = { trips: 1 + SHARDS, rowsRead: 5 * size + 2, objectCalls: 3 }
  await within('start a group', creation, (ctx) => createGroup(ctx, { name: 'engines', members: others }))
  const conversationId = await started(owner, others)
  const send = (ctx: UserCtx) => sendMessage(ctx, { conversationId, clientId: crypto.randomUUID(), text: 'hello' })
  await within('send', { objectCalls: 1 }, send)
  for (const other of others.slice(0, PAGE)) await say(other, conversationId, 'hello')
  const page = { trips: 1 + SHARDS, rowsRead: 4 * Math.min(size, PAGE) + 2, objectCalls: 1 }
  await within('messages', page, (ctx) => listMessages(ctx, { conversationId, after: 0, limit: PAGE }))
  await within('members', page, (ctx) => listMembers(ctx, { conversationId, limit: PAGE }))
  await delivered(conversationId)
  const inbox = { trips: 2 + SHARDS, rowsRead: 4 * PAGE + 2, bucketCalls: 1 }
  await within('inbox', inbox, (ctx) => listConversations(ctx, { state: 'active', limit: PAGE }))
})

test.each([2, 10, 100])('a delivery to %i members takes one trip per shard', async (size) => {
  const members = await people(size)
  const facts = {
    kind: 'group',
    name: 'engines',
    memberCount: size,
    otherId: null,
    state: 'active',
    ended: false,
    lastSeq: 1,
    shownSeq: 1,
    shownKind: 'text',
    lastEvent: null,
    lastAt: 1,
    lastAuthorId: members[0],
    readSeq: 0,
    unread: 1,
    mutedUntil: 0,
    revision: 1,
    preview: 'hello',
    told: '0',
    changedSeq: null,
    news: null,
    conversationId: 'e'.repeat(32),
    version: 1,
  } as const
  const copies = members.map((accountId) => ({ ...facts, accountId }))
  for (const id of members) await sealFor(asUser(id), id, '', 'a first text creates the key')
  const cost = await costOf(members[0], (ctx) => deliverInboxes(ctx, copies))
  const keys = { bucketCalls: 3 * size }
  const hubs = configOf(env).HUBS_PER_SHARD * SHARDS
  const rows = { rowsRead: 8 * size, rowsWritten: 3 * size }
  expectWithin('delivery', cost, { trips: SHARDS, objectCalls: hubs, ...rows, ...keys })
  const listening = members.slice(0, 3)
  const sockets = await Promise.all(listening.map((member) => openSocket(member, null, ['conversations'])))
  const later = copies.map((copy) => ({ ...copy, version: 2, lastSeq: 2 }))
  const told = await costOf(members[0], (ctx) => deliverInboxes(ctx, later))
  const heard = new Set(listening.map((member) => hubName(asUser(member), member))).size
  expect(told.objectCalls).toBeGreaterThanOrEqual(heard)
  expect(told.objectCalls).toBeLessThanOrEqual(hubs)
  for (const socket of sockets) socket.close()
})

test('changes of members and settings cost one object call, and adding one reads two shards', async () => {
  const [owner, bob, eve, fay] = await people(4)
  const groupId = await started(owner, [bob!])
  const within = async (name: string, by: Id, budget: Budget, run: (ctx: UserCtx) => Promise<unknown>) =>
    expectWithin(name, await costOf(by, run), budget)
  const memberId = `${groupId}.${eve}`
  const one = { objectCalls: 1 }
  await within('add', owner, { objectCalls: 3, trips: 2, rowsRead: 6 }, (ctx) => addMember(ctx, { memberId }))
  await within('set a role', owner, one, (ctx) => setMemberRole(ctx, { memberId, role: 'admin' }))
  await within('edit', owner, { objectCalls: 2 }, (ctx) => editGroup(ctx, { groupId, name: 'looms', locked: true }))
  await within('read', owner, one, (ctx) => getGroup(ctx, { groupId }))
  await within('remove', owner, one, (ctx) => removeMember(ctx, { memberId }))
  const code = await linkTo(owner, groupId)
  await within('join', fay!, { objectCalls: 2, trips: 1, rowsRead: 2 }, (ctx) => joinGroupByLink(ctx, { code }))
  await within('leave', fay!, one, (ctx) => leaveGroup(ctx, { groupId }))
})
