import { beforeAll, expect, test } from 'vitest'
import { type Id, shardOf } from '../../src/platform/data/ids.ts'
import { mapConcurrently } from '../../src/platform/data/shards.ts'
import { services } from '../../src/registry.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { drained } from '../support/outboxes.ts'
import { trustTestKey } from '../support/tokens.ts'
import { type Case, callOf, ids, label, makeCallers, makeCases, type Outcome } from './call-cases.ts'
import type { Caller } from './callers.ts'
import { type Answer, call } from './calls.ts'
import { type State, states } from './targets.ts'

let cases: Case[]

beforeAll(async () => {
  await trustTestKey()
  await makeCallers()
  cases = await makeCases()
  await drained()
}, 240_000)

/** Creates the bodies, which changes the databases, then calls `prepared`, and only then sends the requests. */
async function runAll(selected: Case[], prepared = async () => {}): Promise<Outcome[]> {
  const calls = await mapConcurrently(selected, async (each) => ({ each, request: await callOf(each) }))
  await prepared()
  return mapConcurrently(calls, async ({ each, request }) => ({ ...each, answer: await call(request) }))
}

/** A line for each outcome that differs from the expected one. */
function mismatches(outcomes: Outcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    const { operation, expected, answer } = outcome
    const isRight = expected === null ? answer.status === operation.success : answer.code === expected
    return isRight ? [] : [`${label(outcome)}: ${answer.status} ${answer.code}, not ${expected ?? operation.success}`]
  })
}

/** A line for each response whose status or code the OpenAPI document does not declare. */
function undeclared(outcomes: Outcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    const { status, code } = outcome.answer
    const declared = outcome.operation.responses[status]?.description
    const isKnown = declared !== undefined && (code === null || declared.split(', ').includes(code))
    return isKnown ? [] : [`${label(outcome)}: ${status} ${code}`]
  })
}

/** The expected `WWW-Authenticate`. Without a token, the header names no error (RFC 6750, section 3.1). */
const challenge = ({ name }: Caller) => (name === 'nobody' ? 'Bearer' : 'Bearer error="invalid_token"')

// Headers that may differ between otherwise equal responses, so the comparison ignores them.
const TRANSIENT = ['x-request-id', 'x-cost', 'ratelimit', 'ratelimit-policy', 'date']

function comparable({ headers, body }: Answer): string {
  const stable = [...headers].filter(([name]) => !TRANSIENT.includes(name))
  return JSON.stringify([{ ...(body as object), instance: '' }, stable.sort()])
}

test('callers meet posts and accounts of each state on their own shard and on the other one', () => {
  for (const name of ['other', 'blocked'] as const) {
    const met = cases.flatMap(({ caller, target }) => (caller.name === name && target ? [target] : []))
    for (const kind of ['post', 'account'] as const) {
      const found = states[kind].filter((state) => state !== 'missing')
      const shards = found.map((state) => met.filter((target) => target.kind === kind && target.state === state))
      expect(shards.map((targets) => new Set(targets.map(({ ownerId }) => shardOf(ownerId))).size)).toEqual(
        found.map(() => 2),
      )
    }
  }
})

test('a refused call gets the expected declared failure and changes nothing, and all 404s are equal', async () => {
  let before = {}
  const prepared = async () => {
    await drained()
    before = await fingerprint()
  }
  const outcomes = await runAll(
    cases.filter(({ expected }) => expected !== null),
    prepared,
  )
  expect(mismatches(outcomes)).toEqual([])
  expect(undeclared(outcomes)).toEqual([])
  expect(await fingerprint()).toEqual(before)

  const challenged = outcomes.filter(({ answer }) => answer.code === 'unauthorized')
  const misled = challenged.filter(({ caller, answer }) => answer.headers.get('www-authenticate') !== challenge(caller))
  expect(misled.map(label)).toEqual([])

  const missing = outcomes.filter(({ answer }) => answer.status === 404)
  const kinds = Map.groupBy(missing, ({ answer }) => comparable(answer))
  expect([...kinds].map(([answer, group]) => [answer, label(group[0]!)])).toHaveLength(1)
  const all = new Set<State>(['public', 'restricted', 'nested', 'unattached', 'suspended', 'missing'])
  expect(new Set(missing.map(({ target }) => target!.state))).toEqual(all)
}, 240_000)

test('a successful GET changes nothing', async () => {
  let before = {}
  const prepared = async () => {
    await drained()
    before = await fingerprint()
  }
  const reads = cases.filter(({ operation, expected }) => operation.method === 'GET' && expected === null)
  const changing = services.flatMap(({ operations }) => operations).filter(({ effect }) => effect !== undefined)
  const outcomes = await runAll(
    reads.filter(({ operation }) => !changing.some(({ id }) => id === operation.id)),
    prepared,
  )
  expect(outcomes.length).toBeGreaterThan(20)
  expect(mismatches(outcomes)).toEqual([])
  expect(await fingerprint()).toEqual(before)
}, 240_000)

/** Their deferred work on the shard of the target ends before the response or after it. */
const mirrored = ['unfollowAccount', 'blockAccount', 'unblockAccount']

/** A successful response in comparable form. Bookmarks are reduced to the names of their databases. */
function comparableSuccess({ answer: { headers, ...answer }, ...called }: Outcome): string {
  const [own, other] = shardsOf(called)
  const names = (headers.get('x-bookmarks') ?? '').split(';').map((bookmark) => bookmark.split('=')[0])
  const isCompared = (name = '') => name === own || name !== other || !mirrored.includes(called.operation.id)
  const named = new Headers(headers)
  named.set('x-bookmarks', names.filter(isCompared).join())
  return comparable({ ...answer, headers: named })
}

/** The names of the shards of the caller and of the target. */
const shardsOf = ({ caller, target }: Case) => [ids[caller.name], target!.parameter as Id].map((id) => `${shardOf(id)}`)

test('allowed calls succeed; unfollow, block, unblock and unlike respond alike for each target state', async () => {
  const outcomes = await runAll(cases.filter(({ expected }) => expected === null))
  expect(mismatches(outcomes)).toEqual([])
  expect(undeclared(outcomes)).toEqual([])

  for (const id of [...mirrored, 'unlikePost']) {
    const ownList = outcomes.filter(({ operation, caller }) => operation.id === id && caller.name !== 'owner')
    const kind = ownList[0]!.target!.kind
    expect(new Set(ownList.map(({ target }) => target!.state))).toEqual(new Set(states[kind]))
    for (const [between, group] of Map.groupBy(ownList, (outcome) => shardsOf(outcome).join())) {
      const kinds = new Set(group.map(comparableSuccess))
      expect({ id, between, kinds: [...kinds] }).toEqual({ id, between, kinds: [expect.any(String)] })
    }
  }
}, 240_000)
