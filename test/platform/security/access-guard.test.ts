import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { expect, test } from 'vitest'
import { accountStatus } from '../../../src/platform/security/account-status.ts'
import { userLimit } from '../../../src/platform/security/rate-limit.ts'
import { contextWith } from '../../support/platform.ts'
import { advance, guardOf, isolateRateLimits, keyOf, remaining, requestMany } from '../../support/rate-limits.ts'

isolateRateLimits()

/** The maximum age of what an isolate knows of the feed. */
const FEED_S = 2
const DAY_S = 86_400

const statusOf = async () => (await guardOf().lease(userLimit, 0)).status
/** What a request with a token that was issued `age` seconds ago sees. */
const seen = (age = 0) =>
  accountStatus(contextWith(), { id: keyOf(), sessionId: 'login 1', issuedAt: Date.now() - age * 1_000 })
const hasStorage = () =>
  runInDurableObject(guardOf(), (_, state) => {
    const tables = state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'usage'").toArray()
    return tables.length > 0
  })

test('a request sees a changed account status within two seconds, even after the AccessGuard is evicted', async () => {
  expect((await seen())?.suspended).toBe(false)
  await guardOf().setSuspended(true)
  await guardOf().endSession('login 1')
  await guardOf().endSession('login 2')
  await guardOf().revokeTokensBefore(500)
  await guardOf().revokeTokensBefore(400)
  advance(FEED_S)
  expect(await seen()).toEqual({
    suspended: true,
    revokedBefore: 500,
    endedSessions: ['login 1', 'login 2'],
  })
  await evictDurableObject(guardOf())
  await guardOf().setSuspended(false)
  advance(FEED_S)
  expect(await seen()).toMatchObject({ suspended: false, revokedBefore: 500 })
})

test('an ended session is stored for the lifetime of its access tokens', async () => {
  await guardOf().endSession('login 1')
  advance(3_719)
  expect((await statusOf()).endedSessions).toEqual(['login 1'])
  advance(2)
  expect((await statusOf()).endedSessions).toEqual([])
})

test('a guard deletes its storage a day after its last quota window, unless the account is suspended', async () => {
  await requestMany(60, userLimit)
  await guardOf().setSuspended(true)
  advance(DAY_S)
  await runDurableObjectAlarm(guardOf())
  expect(await hasStorage()).toBe(true)
  expect((await statusOf()).suspended).toBe(true)
  await guardOf().setSuspended(false)
  advance(DAY_S)
  await runDurableObjectAlarm(guardOf())
  expect(await hasStorage()).toBe(false)
  expect(await remaining()).toBe(99)
})

test.each([
  ['an ended session', () => guardOf().endSession('login 1')],
  ['revoked tokens', () => guardOf().revokeTokensBefore(Date.now())],
  ['a lifted suspension', () => guardOf().setSuspended(false)],
])('a guard that stores only %s deletes its storage after a day', async (_, revoke) => {
  await revoke()
  expect(await hasStorage()).toBe(true)
  advance(DAY_S)
  expect(await runDurableObjectAlarm(guardOf())).toBe(true)
  expect(await hasStorage()).toBe(false)
})

test.each([
  ['an ended session', () => guardOf().endSession('login 1')],
  ['revoked tokens', () => guardOf().revokeTokensBefore(Date.now())],
])('the cleanup of a guard keeps %s that was stored shortly before', async (_, revoke) => {
  await requestMany(60, userLimit)
  advance(DAY_S - 100)
  await revoke()
  advance(100)
  const status = await statusOf()
  expect(status).not.toEqual({ suspended: false, revokedBefore: 0, endedSessions: [] })
  await runDurableObjectAlarm(guardOf())
  expect(await statusOf()).toEqual(status)
})
