import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SystemCtx, Viewer } from '../../../src/platform/context.ts'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import type { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'
import { AccountStatuses } from '../../../src/platform/security/account-status.ts'
import { spend, userLimit } from '../../../src/platform/security/rate-limit.ts'
import type { RevocationFeed } from '../../../src/platform/security/revocation-feed.object.ts'
import { contextWith } from '../../support/platform.ts'
import { advance } from '../../support/rate-limits.ts'

const FEED_S = 2
let ids = 2_000_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 })
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

const newId = () => toId(ids++)
const guardOf = (id: Id) => env.GUARD.getByName(`user:${id}`)
const feed = () => env.REVOCATIONS.getByName('all')
const down = () => Promise.reject(new Error('down'))
const loginOf = (id: Id, ageS = 0): Viewer => ({
  id,
  role: 'user',
  scopes: new Set(),
  sessionId: 'login 1',
  issuedAt: Date.now() - ageS * 1_000,
})

/** An isolate that has just started, which counts the calls that it makes. */
function newIsolate(bindings: Partial<Record<'GUARD' | 'REVOCATIONS', object>> = {}) {
  const statuses = new AccountStatuses()
  const calls = { guard: 0, feed: 0 }
  const counting = (kind: 'guard' | 'feed', namespace: object) => ({
    getByName: (name: string) => {
      calls[kind] += 1
      return (namespace as typeof env.GUARD).getByName(name)
    },
  })
  const context = (): SystemCtx => {
    const ctx = contextWith()
    const GUARD = counting('guard', bindings.GUARD ?? env.GUARD)
    const REVOCATIONS = counting('feed', bindings.REVOCATIONS ?? env.REVOCATIONS)
    return Object.assign(ctx, { env: { ...env, GUARD, REVOCATIONS } })
  }
  return {
    calls,
    bindings,
    statusOf: (login: Viewer) => statuses.of(context(), login),
    /** What `admit` does first. */
    request: async (viewer: Viewer) => {
      const ctx = context()
      await spend(ctx, userLimit, viewer.id)
      return statuses.of(ctx, viewer)
    },
  }
}

const active = { suspended: false, revokedBefore: 0, endedSessions: [] }

test('an hour of people who pause 30 seconds takes no guard call and no written row, and one feed call in two seconds', async () => {
  const isolate = newIsolate()
  const people = Array.from({ length: 10 }, newId)
  for (let second = 0; second < 3_600; second += 3) {
    const person = people[(second / 3) % people.length]!
    expect(await isolate.request(loginOf(person))).toEqual(active)
    advance(3)
  }
  const requests = 3_600 / 3
  expect(isolate.calls.guard / requests).toBeLessThanOrEqual(0.1)
  expect(isolate.calls.feed).toBeLessThanOrEqual(3_600 / FEED_S)
  const written = await Promise.all(people.map((id) => changesIn(guardOf(id))))
  expect(written.reduce((sum, rows) => sum + rows) / requests).toBeLessThanOrEqual(0.02)
})

const changesIn = (object: DurableObjectStub<undefined>) =>
  runInDurableObject(object, (_, { storage }) => {
    return storage.sql.exec<{ n: number }>('SELECT total_changes() AS n').one().n
  })

test('an isolate asks the feed once for all of its accounts, and each guard once per change', async () => {
  const isolate = newIsolate()
  const [one, two] = [newId(), newId()]
  await guardOf(one).endSession('login 1')
  const ask = () => Promise.all([one, two, one, two].map((id) => isolate.statusOf(loginOf(id))))
  const ended = { ...active, endedSessions: ['login 1'] }
  expect(await ask()).toEqual([ended, active, ended, active])
  expect(isolate.calls).toEqual({ guard: 1, feed: 1 })
  advance(FEED_S)
  await ask()
  expect(isolate.calls).toEqual({ guard: 1, feed: 2 })
  await guardOf(one).endSession('login 2')
  advance(FEED_S)
  expect((await ask())[0]).toEqual({ ...active, endedSessions: ['login 1', 'login 2'] })
  expect(isolate.calls).toEqual({ guard: 2, feed: 3 })
})

test('a status that was read before a change is not remembered when it arrives after the change', async () => {
  const id = newId()
  await guardOf(id).endSession('login 1')
  const answered = Promise.withResolvers<void>()
  const lease = async (...args: Parameters<ReturnType<typeof guardOf>['lease']>) => {
    const before = await guardOf(id).lease(...args)
    await answered.promise
    return before
  }
  const slow = newIsolate()
  slow.bindings.GUARD = { getByName: () => ({ lease }) }
  const first = slow.statusOf(loginOf(id))
  await vi.waitFor(() => expect(slow.calls.guard).toBe(1))
  delete slow.bindings.GUARD
  await guardOf(id).setSuspended(true)
  advance(FEED_S)
  await slow.statusOf(loginOf(newId())) // learns of the change
  answered.resolve()
  await first
  expect(await slow.statusOf(loginOf(id))).toMatchObject({ suspended: true })
})

test('an API key is never taken for valid because the feed lists nothing', async () => {
  const isolate = newIsolate()
  await isolate.statusOf({ ...loginOf(newId()), sessionId: 'key:5' })
  expect(isolate.calls.guard).toBe(1)
})

test('while the feed does not answer, the guard is asked every two seconds, and without both there is no status', async () => {
  const isolate = newIsolate({ REVOCATIONS: { getByName: () => ({ changesSince: down }) } })
  const id = newId()
  const ask = () => Promise.all([1, 2, 3].map(() => isolate.statusOf(loginOf(id))))
  expect(await ask()).toEqual([active, active, active])
  expect(isolate.calls.guard).toBe(1)
  await guardOf(id).setSuspended(true)
  advance(FEED_S)
  expect((await ask()).map((status) => status?.suspended)).toEqual([true, true, true])
  expect(isolate.calls.guard).toBe(2)
  isolate.bindings.GUARD = { getByName: () => ({ lease: down }) }
  advance(FEED_S)
  expect(await ask()).toEqual([null, null, null])
})

test('a feed that is new vouches for nothing during ten minutes, and then only for tokens from after them', async () => {
  const young = env.REVOCATIONS.getByName('young')
  const { from, cursor } = await young.changesSince(null)
  expect(from).toBe(Date.now() + 600_000)
  expect(await young.changesSince(cursor)).toMatchObject({ from, isComplete: false })
  advance(600)
  expect(await young.changesSince(cursor)).toMatchObject({ from, isComplete: true })
  const beginning = Date.now()
  await runInDurableObject(feed(), (object: RevocationFeed, { storage }) => {
    storage.sql.exec('UPDATE beginning SET at = ?', beginning)
    Object.assign(object, { known: null })
  })
  advance(120)
  const isolate = newIsolate()
  await isolate.statusOf(loginOf(newId(), 30))
  expect(isolate.calls.guard).toBe(0)
  await isolate.statusOf(loginOf(newId(), 90)) // less than a minute younger: clocks may differ
  expect(isolate.calls.guard).toBe(1)
  await runInDurableObject(feed(), (object: RevocationFeed, { storage }) => {
    storage.sql.exec('UPDATE beginning SET at = 0')
    Object.assign(object, { known: null })
  })
})

test('an isolate that missed more changes than the feed tells at once asks the guards of older tokens again', async () => {
  const isolate = newIsolate()
  const [watched, id] = [newId(), newId()]
  await guardOf(watched).endSession('login 1')
  advance(FEED_S)
  await isolate.statusOf(loginOf(watched))
  expect(isolate.calls.guard).toBe(1)
  await guardOf(watched).setSuspended(true)
  await runInDurableObject(feed(), (object: RevocationFeed, { storage }) => {
    const many = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)'
    storage.sql.exec(`INSERT INTO changes SELECT ? + i, 7 FROM (${many} SELECT i FROM n)`, Date.now() + 1_000)
    Object.assign(object, { known: null })
  })
  advance(120)
  expect(await isolate.statusOf(loginOf(watched, 130))).toMatchObject({ suspended: true })
  await isolate.statusOf(loginOf(id, 130))
  expect(isolate.calls.guard).toBe(3)
  await isolate.statusOf(loginOf(newId()))
  expect(isolate.calls.guard).toBe(3)
  advance(FEED_S) // the next answer is complete, but does not tell what was cut off
  await isolate.statusOf(loginOf(newId(), 130))
  expect(isolate.calls.guard).toBe(4)
})

test('the feed keeps changes for the life of a token, also when it is evicted, and in order when its clock is set back', async () => {
  const [one, two, three] = [newId(), newId(), newId()]
  const { cursor } = await feed().changesSince(null)
  await guardOf(one).endSession('login 1')
  await evictDurableObject(feed())
  advance(-5)
  await guardOf(two).setSuspended(true)
  const list = await feed().changesSince(cursor)
  expect(list).toMatchObject({ accountIds: [two, one], isComplete: true })
  expect((await feed().changesSince(list.cursor)).accountIds).toEqual([])
  advance(3_700)
  expect((await feed().changesSince(null)).accountIds).toContain(one)
  advance(60)
  await guardOf(three).revokeTokensBefore(1)
  expect(await feed().changesSince(cursor)).toMatchObject({ accountIds: [three], isComplete: false })
})

test('a change that the feed does not take is stored, and fails, and the guard announces it later', async () => {
  const id = newId()
  await runInDurableObject(guardOf(id), async (guard: AccessGuard) => {
    const { env: bindings } = guard as unknown as { env: Env }
    Object.assign(guard, { env: { REVOCATIONS: { getByName: () => ({ announce: down }) } } })
    await expect(guard.setSuspended(true)).rejects.toThrow('down')
    Object.assign(guard, { env: bindings })
    await guard.alarm()
  })
  expect((await feed().changesSince(null)).accountIds).toContain(id)
  expect((await guardOf(id).lease({ quota: 1, window: 60 }, 0)).status.suspended).toBe(true)
})

test('a change costs the feed two written rows, one of them when it is forgotten, and asking costs none', async () => {
  const rows = () => changesIn(feed())
  await guardOf(newId()).endSession('login 1')
  const before = await rows()
  await guardOf(newId()).endSession('login 1')
  expect((await rows()) - before).toBe(1)
  await feed().changesSince(null)
  await feed().changesSince(5)
  expect((await rows()) - before).toBe(1)
})
