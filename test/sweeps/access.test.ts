import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { mapConcurrently } from '../../src/platform/data/databases.ts'
import { type Id, shardOf } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/http/errors.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { seedPeople } from '../support/rows.ts'
import { trustTestKey } from '../support/tokens.ts'
import { drained } from '../support/town.ts'
import { type Caller, callers, refusalOf } from './callers.ts'
import { type Answer, type Call, call } from './calls.ts'
import { examples, seen } from './examples.ts'
import { type Operation, operations } from './operations.ts'
import { kindOfParameter, makeTargets, type State, states, type Target } from './targets.ts'

/** One operation, asked for by one caller, of one thing. */
type Case = { operation: Operation; caller: Caller; target: Target | null; expected: Code | null }
type Asked = Case & { answer: Answer }

let cases: Case[]
const ids = {} as Record<Caller['name'], Id>

beforeAll(async () => {
  await trustTestKey()
  const people = await seedPeople('caller_', callers.length, (i) => i % 2)
  callers.forEach(({ name }, i) => {
    ids[name] = people[i]!.id
  })
  await env.DIRECTORY.prepare(
    `INSERT INTO users (id, email, email_verified, sealed_address, role, created_at, updated_at) VALUES (?, 'admin', 1, '', 'admin', 0, 0)`,
  )
    .bind(Number(ids.admin))
    .run()
  await env.LIMITER.getByName(`user:${ids.suspended}`).setSuspended(true)
  cases = await makeCases()
  await drained()
})

const kindOf = ({ id, parameters }: Operation) => {
  const names = parameters.filter((parameter) => parameter.in === 'path' && !parameter.schema.enum)
  if (names.length === 0) return null
  const kind = kindOfParameter[names[0]!.name]
  if (!kind || names.length > 1) throw new Error(`Say in test/sweeps/targets.ts what the path of ${id} names`)
  return kind
}

async function makeCases(): Promise<Case[]> {
  const planned = operations.flatMap((operation) => {
    const kind = kindOf(operation)
    const wanted = kind === null ? [null] : states[kind].map((state) => [kind, state] as const)
    return callers.flatMap((caller) => wanted.map((want) => ({ operation, caller, want })))
  })
  const targets = await makeTargets(
    planned.flatMap(({ want }) => (want ? [[...want]] : [])),
    ids.blocked,
  )
  return planned.map(({ operation, caller, want }) => {
    const target = want && targets.shift()!
    return { operation, caller, target, expected: refusalOf(caller, operation) ?? ruling(operation, caller, target) }
  })
}

function ruling({ id, method }: Operation, caller: Caller, target: Target | null): Code | null {
  const rule = examples[id]?.rule ?? (target && method === 'GET' ? seen : null)
  if (target && !rule) throw new Error(`Say in test/sweeps/examples.ts who may ${id}`)
  return rule ? rule(caller.name, target!) : null
}

async function callOf({ operation, caller, target, expected }: Case): Promise<Call> {
  const { id, method, path, body } = operation
  const example = examples[id]
  if (body && !example?.json && !example?.form)
    throw new Error(`Give test/sweeps/examples.ts a body that ${id} accepts`)
  const self = caller.name === 'owner' && target ? target.ownerId : ids[caller.name]
  // Making a body for these takes a registration; without one, they would answer otherwise if they looked at it.
  const isRevoked = operation.access === 'public' && operation.method === 'POST' && expected !== null
  const isLeaving = example?.endsLogin && expected === null
  const [leaving] = isLeaving ? await seedPeople(`leaving_${crypto.randomUUID()}`, 1, () => 0) : []
  return {
    method,
    path: path.replace(/\{(\w+)\}/g, (_, name) => argumentFor(operation, name, target)),
    token: await caller.token(leaving?.id ?? self, operation),
    json: isRevoked ? {} : await example?.json?.(),
    body: example?.form?.(),
    headers: example?.headers,
  }
}

function argumentFor({ parameters }: Operation, name: string, target: Target | null): string {
  const options = parameters.find((parameter) => parameter.name === name)?.schema.enum as string[] | undefined
  return options?.[0] ?? target!.parameter
}

const label = ({ operation, caller, target }: Case) =>
  `${operation.id} by ${caller.name}${target ? ` of ${target.state} ${target.kind}` : ''}`

/** Asks in all of the cases. Making the bodies leaves traces of its own, so `ready` is called between that and the asking. */
async function askAll(some: Case[], ready = async () => {}): Promise<Asked[]> {
  const calls = await mapConcurrently(some, async (it) => ({ it, call: await callOf(it) }))
  await ready()
  return mapConcurrently(calls, async ({ it, call: made }) => ({ ...it, answer: await call(made) }))
}

/** What was answered and what should have been, where they differ. */
function surprises(asked: Asked[]): string[] {
  return asked.flatMap((it) => {
    const { operation, expected, answer } = it
    const isRight = expected === null ? answer.status === operation.success : answer.code === expected
    return isRight ? [] : [`${label(it)}: ${answer.status} ${answer.code}, not ${expected ?? operation.success}`]
  })
}

/** Answers that the document does not announce. */
function undeclared(asked: Asked[]): string[] {
  return asked.flatMap(({ answer: { status, code }, ...it }) => {
    const declared = it.operation.responses[status]?.description
    const isKnown = declared !== undefined && (code === null || declared.split(', ').includes(code))
    return isKnown ? [] : [`${label(it)}: ${status} ${code}`]
  })
}

/** Who brought no token is told of no error (RFC 6750, section 3.1). */
const challenge = ({ name }: Caller) => (name === 'nobody' ? 'Bearer' : 'Bearer error="invalid_token"')

// What differs between any two answers.
const TRANSIENT = ['x-request-id', 'x-cost', 'ratelimit', 'ratelimit-policy', 'date']

function withoutPassing({ headers, body }: Answer): string {
  const lasting = [...headers].filter(([name]) => !TRANSIENT.includes(name))
  return JSON.stringify([{ ...(body as object), instance: '' }, lasting.sort()])
}

test('whoever may not is told so, in an announced way, and changes nothing', async () => {
  let before = {}
  const ready = async () => {
    await drained()
    before = await fingerprint()
  }
  const asked = await askAll(
    cases.filter(({ expected }) => expected !== null),
    ready,
  )
  expect(surprises(asked)).toEqual([])
  expect(undeclared(asked)).toEqual([])
  expect(await fingerprint()).toEqual(before)

  const challenged = asked.filter(({ answer }) => answer.code === 'unauthorized')
  const misled = challenged.filter(({ caller, answer }) => answer.headers.get('www-authenticate') !== challenge(caller))
  expect(misled.map(label)).toEqual([])

  const missing = asked.filter(({ answer }) => answer.status === 404)
  const kinds = Map.groupBy(missing, ({ answer }) => withoutPassing(answer))
  expect([...kinds].map(([answer, them]) => [answer, label(them[0]!)])).toHaveLength(1)
  const all = new Set<State>(['open', 'closed', 'buried', 'untaken', 'suspended', 'absent'])
  expect(new Set(missing.map(({ target }) => target!.state))).toEqual(all)
}, 120_000)

test('nothing changes by being read', async () => {
  await drained()
  const before = await fingerprint()
  const reading = cases.filter(({ operation, expected }) => operation.method === 'GET' && expected === null)
  // An open socket marks its account as online: opening it is no reading.
  const asked = await askAll(reading.filter(({ operation }) => operation.id !== 'openRealtime'))
  expect(asked.length).toBeGreaterThan(20)
  expect(surprises(asked)).toEqual([])
  expect(await fingerprint()).toEqual(before)
}, 120_000)

/** A good answer, of which only the names of the databases that were written stay the same from one request to the next. */
function withoutBookmarks({ headers, ...answer }: Answer): string {
  const named = new Headers(headers)
  named.set('x-bookmarks', (headers.get('x-bookmarks') ?? '').replace(/=[^;]*/g, ''))
  return withoutPassing({ ...answer, headers: named })
}

test('whoever may is served; what is said of one’s own list is answered alike whoever is named', async () => {
  const asked = await askAll(cases.filter(({ expected }) => expected === null))
  expect(surprises(asked)).toEqual([])
  expect(undeclared(asked)).toEqual([])

  for (const id of ['unfollowAccount', 'blockAccount', 'unblockAccount']) {
    const own = asked.filter(({ operation, caller }) => operation.id === id && caller.name !== 'owner')
    expect(new Set(own.map(({ target }) => target!.state))).toEqual(new Set(states.account))
    const shardsOf = ({ caller, target }: Asked) => [ids[caller.name], target!.parameter as Id].map(shardOf).join()
    for (const [between, alike] of Map.groupBy(own, shardsOf)) {
      const kinds = new Set(alike.map(({ answer }) => withoutBookmarks(answer)))
      expect({ id, between, kinds: [...kinds] }).toEqual({ id, between, kinds: [expect.any(String)] })
    }
  }
}, 120_000)
