import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/failures.ts'
import { declaredActions } from '../../src/platform/security/actions.ts'
import { defineRules } from '../../src/platform/security/authorize.ts'
import { services } from '../../src/registry.ts'
import { accountsOn, bulkIds } from '../support/actors.ts'
import { insertRows } from '../support/databases.ts'
import { insertTotp } from '../support/factors.ts'
import { insertPassword } from '../support/logins.ts'
import { type Caller, callers, refusalOf } from './callers.ts'
import type { Answer, Call } from './calls.ts'
import { argumentFor, kindOf, ruling } from './cases.ts'
import { examples, queryFor } from './examples.ts'
import { type Operation, operations } from './operations.ts'
import { makeTargets, states, type Target } from './targets.ts'

/** A call of one operation by one caller on one target. `expected` is its failure, or null if it must succeed. */
export type Case = { operation: Operation; caller: Caller; target: Target | null; expected: Code | null }
export type Outcome = Case & { answer: Answer }

export const ids = {} as Record<Caller['name'], Id>

/** Creates an account for each caller. */
export async function makeCallers(): Promise<void> {
  const accounts = await bulkIds(callers.length)
  callers.forEach(({ name }, i) => {
    ids[name] = accounts[i]!
  })
  for (const name of ['admin', 'stale', 'program', 'delegate', 'granted', 'denied'] as const) {
    await env.DIRECTORY.prepare(
      `INSERT INTO users (id, email, email_verified, sealed_address, role, created_at, updated_at) VALUES (?, ?, 1, '', 'admin', 0, 0)`,
    )
      .bind(Number(ids[name]), name)
      .run()
  }
  await env.GUARD.getByName(`user:${ids.suspended}`).setSuspended(true)
  const delegate = { account_id: Number(ids.delegate), role_id: 1 }
  const role = { id: 1, name: 'delegate', description: '', permissions: JSON.stringify([...declaredActions().keys()]) }
  await insertRows(env.DIRECTORY, 'roles', [role])
  await insertRows(env.DIRECTORY, 'account_roles', [delegate])
  const attribute = { account_id: Number(ids.denied), name: 'sweep', value: 'denied' }
  await insertRows(env.DIRECTORY, 'account_attributes', [attribute])
}

defineRules({
  name: 'sweep',
  action: '*',
  stored: true,
  decide: ({ given }) => (given.sweep === 'denied' ? 'deny' : 'abstain'),
})

/** Gives the caller `granted` the action of each operation on its target. */
async function giveGrants(cases: readonly Case[]): Promise<void> {
  const rows = cases.flatMap(({ operation: { action, parameters }, caller, target }) => {
    const [name = ''] = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)
    const thing = `${name.replace('Id', '')}:${target?.parameter}`
    return caller.name === 'granted' && target ? [{ account_id: Number(ids.granted), action, thing }] : []
  })
  const different = new Map(rows.map((row) => [`${row.action} ${row.thing}`, row]))
  await insertRows(
    env.DIRECTORY,
    'grants',
    [...different.values()].map((row, i) => ({ id: i + 1, ...row })),
  )
}

const changingReads = services.flatMap(({ operations }) => operations.flatMap(({ id, effect }) => (effect ? [id] : [])))

/** Calls that change nothing: refused ones, and reads. Those of one operation share targets, which take long to make. */
const changesNothing = ({ method, id }: Operation, expected: Code | null) =>
  expected !== null || (method === 'GET' && !changingReads.includes(id))

/** A case for each caller and state of the target of each of these operations. */
export async function makeCases(selected = operations): Promise<Case[]> {
  const planned = selected.flatMap((operation) => {
    const kind = kindOf(operation)
    const wanted = kind === null ? [null] : states[kind].map((state) => ({ kind, state }))
    const calling = callers.filter(({ calls }) => calls?.(operation) ?? true)
    return calling.flatMap((caller) =>
      wanted.map((want) => {
        const expected = refusalOf(caller, operation) ?? ruling(operation, caller, want)
        const by = changesNothing(operation, expected) ? '' : caller.name
        const key = `${want?.kind} ${want?.state} ${operation.id} ${by}`
        return { operation, caller, want, expected, key }
      }),
    )
  })
  const wanted = new Map(planned.flatMap(({ want, key }) => (want ? [[key, want] as const] : [])))
  const made = await makeTargets(
    [...wanted.values()].map(({ kind, state }) => [kind, state]),
    ids.blocked,
  )
  const targets = new Map([...wanted.keys()].map((key, i) => [key, made[i]!]))
  const cases = planned.map(({ want, key, ...each }): Case => ({ ...each, target: want && targets.get(key)! }))
  await giveGrants(cases)
  return cases
}

export async function callOf({ operation, caller, target, expected }: Case): Promise<Call> {
  const { id, method, path, body } = operation
  const example = examples[id]
  if (body && !example?.json && !example?.form) throw new Error(`Add a body of ${id} to test/sweeps/examples.ts`)
  const self = caller.name === 'owner' && target ? target.ownerId : ids[caller.name]
  // A refused call does not need a valid body, because it must be refused before its body is validated. For a public
  // operation, such a body would cost a registration.
  const needsNoBody = operation.access === 'public' && operation.method === 'POST' && expected !== null
  const account = example?.endsSession && expected === null ? (await accountsOn(0))[0] : self
  if (caller.name === 'suspended') await env.GUARD.getByName(`user:${account}`).setSuspended(true)
  if (example?.hasPassword && expected === null) await insertPassword(account)
  if (example?.hasFactor && expected === null) await insertTotp(account)
  const token = await caller.token(account, operation)
  return {
    method,
    path: path.replace(/\{(\w+)\}/g, (_, name) => argumentFor(operation, name, target)) + (await queryFor(id)),
    token,
    json: needsNoBody ? {} : await example?.json?.(token),
    body: example?.form?.(),
    headers: example?.headers,
  }
}

export const label = ({ operation, caller, target }: Case) =>
  `${operation.id} by ${caller.name}${target ? ` of ${target.state} ${target.kind}` : ''}`
