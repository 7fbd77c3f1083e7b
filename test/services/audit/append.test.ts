import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { type Id, idOf, timeOf } from '../../../src/platform/data/ids.ts'
import { append } from '../../../src/services/audit/append.ts'
import { hashOf } from '../../../src/services/audit/chain.ts'
import { auditOf } from '../../support/audit.ts'
import { unusedId } from '../../support/databases.ts'
import { deliver } from '../../support/events.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'

const context = () => createContext({ env, waitUntil: () => {}, start: 'first-primary' })
const entryOf = (accountId: Id, eventId = unusedId(0), action = 'registered') => ({ accountId, eventId, action })
const headOf = (chain: number) =>
  env.DIRECTORY.prepare('SELECT seq, hash FROM audit_heads WHERE chain = ?')
    .bind(chain)
    .first<{ seq: number; hash: string }>()

/** The account of the test. Accounts of other tests have other chains. */
let ada: Id
let tests = 0
beforeEach(() => {
  ada = idOf(0, Date.now(), tests++)
})

test('an entry is signed, follows the one before it, and is the head of its chain', async () => {
  const event = unusedId(1)
  await append(context(), { ...entryOf(ada, event), actorId: '7' as Id, client: 'a.sealed' })
  await append(context(), entryOf(ada))
  const [first, second, ...others] = await auditOf(ada)
  expect(others).toEqual([])
  const chain = tests - 1
  expect(first).toMatchObject({
    chain,
    seq: 1,
    at: timeOf(event),
    action: 'registered',
    accountId: ada,
    actorId: '7',
    client: 'a.sealed',
    eventId: event,
    previous: '',
  })
  expect(second).toMatchObject({ chain, seq: 2, previous: first!.hash })
  for (const { hash, ...row } of [first!, second!]) expect(hash).toBe(await hashOf(context().config, row))
  expect(await headOf(chain)).toEqual({ seq: 2, hash: second!.hash })
})

test('entries of one queue batch are appended in two reads and two writes', async () => {
  const ctx = context()
  await Promise.all(Array.from({ length: 5 }, () => append(ctx, entryOf(ada))))
  expect((await auditOf(ada)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  expect(ctx.cost.trips).toBe(4)
})

test('20 concurrent appends to one chain all succeed, without a gap', async () => {
  const events = Array.from({ length: 20 }, () => unusedId(0))
  await Promise.all(events.map((event) => append(context(), entryOf(ada, event))))
  const rows = await auditOf(ada)
  expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  expect(rows.map(({ previous }) => previous).slice(1)).toEqual(rows.map(({ hash }) => hash).slice(0, -1))
  expect(new Set(rows.map(({ eventId }) => eventId))).toEqual(new Set(events))
  expect((await headOf(rows[0]!.chain))!.seq).toBe(20)
})

test('an event that is appended 20 times at once has one entry', async () => {
  const event = unusedId(0)
  const shared = context()
  const contexts = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? shared : context()))
  await Promise.all(contexts.map((ctx) => append(ctx, entryOf(ada, event))))
  expect(await auditOf(ada)).toHaveLength(1)
})

test('events of two databases with the same id have an entry each', async () => {
  const event = unusedId(0)
  await append(context(), entryOf(ada, event))
  await append(context(), entryOf(ada, event, 'account-suspended'))
  expect(await auditOf(ada)).toHaveLength(2)
})

test('repeating an append that was interrupted before it moved the head moves the head', async () => {
  const entry = entryOf(ada)
  await append(context(), entry)
  const [row] = await auditOf(ada)
  await env.DIRECTORY.prepare('DELETE FROM audit_heads WHERE chain = ?').bind(row!.chain).run()
  await append(context(), entry)
  expect(await headOf(row!.chain)).toEqual({ seq: 1, hash: row!.hash })
})

test('the database refuses to change or delete an entry', async () => {
  await append(context(), entryOf(ada))
  for (const statement of ["UPDATE audit_entries SET action = 'x'", 'DELETE FROM audit_entries'])
    await expect(env.AUDIT.prepare(statement).run()).rejects.toThrow('append-only')
})

test('after the newest entries were lost, the chain goes on after its head, so that the gap stays visible', async () => {
  for (let n = 0; n < 3; n++) await append(context(), entryOf(ada))
  const rows = await auditOf(ada)
  await env.AUDIT.prepare('DROP TRIGGER audit_entries_stay').run()
  await env.AUDIT.prepare('DELETE FROM audit_entries WHERE id = ?').bind(Number(rows[2]!.id)).run()
  await append(context(), entryOf(ada))
  expect((await auditOf(ada)).map(({ seq, previous }) => [seq, previous])).toEqual([
    [1, ''],
    [2, rows[0]!.hash],
    [4, rows[2]!.hash],
  ])
})

test('a role that an operator granted with npm run admin has an entry without an actor', async () => {
  await publishEvent('identity.role-changed', { accountId: ada })
  await drained(ada)
  expect(await auditOf(ada)).toMatchObject([{ action: 'role-changed', accountId: ada, actorId: null, client: null }])
})

test('an event that is delivered 10 times in one batch and again later has one entry', async () => {
  const event = { version: 1, source: 'd', id: unusedId(0), type: 'identity.all-sessions-ended', trace: {} }
  const body = { ...event, data: { accountId: ada, actorId: ada } }
  const insert = 'INSERT OR IGNORE INTO outbox (id, type, data) VALUES (?, ?, ?)'
  for (let round = 0; round < 2; round++) {
    await env.DIRECTORY.prepare(insert).bind(Number(event.id), event.type, JSON.stringify(body.data)).run()
    expect(await deliver(Array.from({ length: 10 }, () => body))).toEqual([])
  }
  expect(await auditOf(ada)).toMatchObject([
    { action: 'all-sessions-ended', accountId: ada, actorId: ada, eventId: event.id },
  ])
})
