import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { Role } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { mapConcurrently } from '../../src/platform/data/shards.ts'
import { declaredActions } from '../../src/platform/security/actions.ts'
import { declaredScopes } from '../../src/platform/security/scopes.ts'
import { services } from '../../src/registry.ts'
import type { RpcResult } from '../../src/rpc.ts'
import { bulkIds } from '../support/actors.ts'
import { insertRows } from '../support/databases.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { drained } from '../support/outboxes.ts'
import { boundWith, callByName } from '../support/rpc.ts'
import { type Caller, refusalOf } from './callers.ts'
import { argumentFor, kindOf, ruling } from './cases.ts'
import { examples, queryFor } from './examples.ts'
import { type Operation, operations } from './operations.ts'
import { makeTargets, states, type Target } from './targets.ts'

const declared = services.flatMap(({ rpc, operations }) => operations.map((operation) => ({ rpc, operation })))
const rpcOf = new Map(declared.map(({ rpc, operation }) => [operation.id, rpc]))
const ownersOf = (id: string) => declared.find(({ operation }) => operation.id === id)!.operation
/** Why an operation is not offered to other Workers, or null. */
function withheld(id: string): string | null {
  const operation = ownersOf(id)
  return 'respond' in operation ? 'HTTP' : (operation.noRpc ?? (operation.fresh ? 'fresh' : null))
}

type Bound = Pick<Caller, 'name' | 'role'> & { props: (operation: Operation) => object; actsAs: 'account' | 'system' }
const users = { caller: 'sweep', actsAs: 'users', scopes: [...declaredScopes().keys()], staff: true }
const account = (name: Caller['name'], role: Role = 'user'): Bound => ({
  name,
  role,
  props: () => users,
  actsAs: 'account',
})
const bound: Bound[] = [
  { ...account('nobody'), actsAs: 'system' },
  ...(['owner', 'other', 'blocked', 'suspended'] as const).map((name) => account(name)),
  account('moderator', 'moderator'),
  account('admin', 'admin'),
  account('delegate'),
  {
    ...account('scopeless', 'admin'),
    props: ({ scope }) => ({ ...users, scopes: users.scopes.filter((each) => each !== scope) }),
  },
]

// The sweep makes more calls than the limits allow.
Object.assign(env, { REQUESTS_PER_MINUTE: '1000000' })

type Case = { operation: Operation; caller: Bound; target: Target | null; expected: string | null }
type Outcome = Case & { result: RpcResult<unknown> }
const ids = {} as Record<Caller['name'], Id>
let cases: Case[]

beforeAll(async () => {
  const accounts = await bulkIds(bound.length)
  for (const [i, { name }] of bound.entries()) ids[name] = accounts[i]!
  const rows = bound.map(({ name, role }) => ({
    id: Number(ids[name]),
    email: name,
    role,
    email_verified: 1,
    sealed_address: '',
    created_at: 0,
    updated_at: 0,
  }))
  await insertRows(env.DIRECTORY, 'users', rows)
  await env.GUARD.getByName(`user:${ids.suspended}`).setSuspended(true)
  const permissions = JSON.stringify([...declaredActions().keys()])
  await insertRows(env.DIRECTORY, 'roles', [{ id: 1, name: 'delegate', description: '', permissions }])
  await insertRows(env.DIRECTORY, 'account_roles', [{ account_id: Number(ids.delegate), role_id: 1 }])
  cases = await makeCases()
  await drained()
})

async function makeCases(): Promise<Case[]> {
  const planned = operations
    .filter(({ id }) => rpcOf.get(id))
    .flatMap((operation) => {
      const kind = kindOf(operation)
      const wanted = kind === null ? [null] : states[kind].map((state) => [kind, state] as const)
      return bound.flatMap((caller) => wanted.map((want) => ({ operation, caller, want })))
    })
  const targets = await makeTargets(
    planned.flatMap(({ want }) => (want ? [[...want]] : [])),
    ids.blocked,
  )
  return planned.map(({ operation, caller, want }) => {
    const target = want && targets.shift()!
    return { operation, caller, target, expected: expectation(operation, caller, target) }
  })
}

/** The failure of REST, except that some operations are not offered at all. */
function expectation(operation: Operation, caller: Bound, target: Target | null): string | null {
  if (withheld(operation.id) !== null) return 'forbidden'
  const { name } = caller
  const refused: Caller['refused'] = ({ access, scope }) => {
    if (name === 'nobody') return access === 'public' ? null : 'unauthorized'
    if (name === 'suspended') return 'suspended'
    return name === 'scopeless' && scope ? 'insufficient_scope' : null
  }
  // Over REST, the token of the suspended owner would still be valid for two seconds. A call reads the account.
  if (name === 'owner' && target?.state === 'suspended') return 'suspended'
  const outcome = refusalOf({ ...caller, token: () => null, refused }, operation) ?? ruling(operation, caller, target)
  // The staff edits posts of others with a fresh login only, and a call by another Worker belongs to no login.
  const isStaffEdit = operation.id === 'editPost' && ['admin', 'delegate'].includes(name)
  return outcome ?? (isStaffEdit ? 'fresh_login_required' : null)
}

async function inputOf({ operation, target }: Case): Promise<object> {
  const { id, parameters } = operation
  const example = examples[id]
  const path = parameters.filter((parameter) => parameter.in === 'path')
  const form = example?.form?.()
  return {
    ...Object.fromEntries(path.map(({ name }) => [name, argumentFor(operation, name, target)])),
    ...Object.fromEntries(new URLSearchParams(await queryFor(id))),
    ...(withheld(id) === null && (await example?.json?.())),
    ...(form &&
      Object.fromEntries(
        [...form].map(([name, value]) => [name, typeof value === 'string' ? value : new Blob([value])]),
      )),
  }
}

/** Makes the inputs, which may change the databases, then calls `prepared`, and only then makes the calls. */
async function runAll(selected: Case[], prepared = async () => {}): Promise<Outcome[]> {
  const inputs = await mapConcurrently(selected, async (each) => ({ each, input: await inputOf(each) }))
  await prepared()
  return mapConcurrently(inputs, ({ each, input }) => run(each, input))
}

async function run(each: Case, input: object): Promise<Outcome> {
  const { operation, caller, target } = each
  const self = caller.name === 'owner' && target ? target.ownerId : ids[caller.name]
  const call = caller.actsAs === 'account' ? { as: self } : {}
  const bindings = boundWith(caller.props(operation))
  return {
    ...each,
    result: await callByName(bindings, rpcOf.get(operation.id)!, operation.id, input, call),
  }
}

const mismatches = (outcomes: Outcome[]) =>
  outcomes.flatMap(({ operation, caller, target, expected, result }) => {
    const code = result.ok ? null : result.error.code
    return code === expected ? [] : [`${operation.id} by ${caller.name} of ${target?.state}: ${code}, not ${expected}`]
  })

test('by RPC, each caller gets the same outcome from each operation as over REST, and a refused call changes nothing', async () => {
  const [refused, allowed] = [cases.filter(({ expected }) => expected), cases.filter(({ expected }) => !expected)]
  let before = {}
  const outcomes = await runAll(refused, async () => {
    before = await fingerprint()
  })
  expect(mismatches(outcomes)).toEqual([])
  expect(await fingerprint()).toEqual(before)
  const missing = outcomes
    .filter(({ expected }) => expected === 'not_found')
    .map(({ result }) => JSON.stringify({ ...result, requestId: '', cost: '' }))
  expect(new Set(missing).size).toBe(1)
  expect(mismatches(await runAll(allowed))).toEqual([])
}, 120_000)

test('a binding without props may call no operation', async () => {
  for (const operation of operations.filter(({ id }) => rpcOf.get(id))) {
    const result = await callByName(boundWith({}), rpcOf.get(operation.id)!, operation.id, {}, {})
    expect([operation.id, result]).toMatchObject([operation.id, { ok: false, error: { code: 'forbidden' } }])
  }
})

test('other Workers can call every operation, unless it is withheld for a reason', () => {
  const unassigned = declared.filter(({ rpc, operation }) => !rpc && withheld(operation.id) === null)
  expect(unassigned.map(({ operation }) => operation.id)).toEqual([])
  const offered = declared.filter(({ operation }) => withheld(operation.id) === null)
  expect(offered.length).toBeGreaterThan(40)
  // Whatever returns or takes credentials stays between people and their clients.
  const withCredentials = operations.filter(({ responses, body }) =>
    /token|password|ticket/i.test(
      JSON.stringify([responses[200]?.content, responses[201]?.content, body?.schema.properties]),
    ),
  )
  expect(withCredentials.filter(({ id }) => withheld(id) === null).map(({ id }) => id)).toEqual([])
})

test('a name belongs to one part of an input only, and methods have names of their own', () => {
  const repeated = operations.flatMap(({ id, parameters, body }) => {
    const names = [
      ...parameters.filter((each) => each.in !== 'header').map(({ name }) => name),
      ...Object.keys(body?.schema.properties ?? {}),
    ]
    return names.length === new Set(names).size ? [] : [id]
  })
  expect(repeated).toEqual([])
  expect(operations.filter(({ id }) => ['fetch', 'connect', 'dup', 'then', 'env', 'ctx'].includes(id))).toEqual([])
})
