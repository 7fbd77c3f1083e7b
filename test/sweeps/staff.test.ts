import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { idList } from '../../src/platform/data/shards.ts'
import { accountsOn } from '../support/actors.ts'
import { auditOf } from '../support/audit.ts'
import { insertRows } from '../support/databases.ts'
import { insertLogin } from '../support/logins.ts'
import { drained } from '../support/outboxes.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { pathOf } from './admin.ts'
import { call } from './calls.ts'
import { examples } from './examples.ts'
import { type Operation, operations } from './operations.ts'
import { kindOfParameter, makeTargets, states, type Target } from './targets.ts'

beforeAll(trustTestKey)

const isStaffs = ({ access }: Operation) => access === 'moderator' || access === 'admin'
const watched = operations.filter(
  (operation) => isStaffs(operation) && (operation.method !== 'GET' || operation.id === 'listAudit'),
)

/** The id of a new admin, and a token with a fresh login. */
async function newAdmin() {
  const [id] = await accountsOn(0)
  const sessionId = await insertLogin(id)
  await env.DIRECTORY.prepare("UPDATE users SET role = 'admin' WHERE id = ?").bind(Number(id)).run()
  return { id, token: await mint(id, { role: 'admin', sessionId }) }
}

async function disableApps(targets: readonly Target[]): Promise<void> {
  const statement = 'UPDATE apps SET disabled_at = 0 WHERE id IN (SELECT value FROM json_each(?))'
  const ids = targets.map(({ parameter }) => Number(parameter))
  await env.DIRECTORY.prepare(statement).bind(JSON.stringify(ids)).run()
}

/** Operations that act only on accounts whose registration waits for a moderator. */
const onWaiting = ['approveRegistration', 'rejectRegistration']

async function makeWait(targets: readonly Target[]): Promise<void> {
  const statement = "UPDATE users SET approval = 'required' WHERE id IN (SELECT value FROM json_each(?))"
  const ids = targets.map(({ ownerId }) => ownerId)
  await env.DIRECTORY.prepare(statement).bind(idList(ids)).run()
}

async function makeRoles(targets: readonly Target[]): Promise<void> {
  const rows = targets.map(({ parameter }, i) => ({ id: i + 1, name: parameter, description: '', permissions: '[]' }))
  await insertRows(env.DIRECTORY, 'roles', rows)
}

/** A grant with the id of its account, for each of them. */
async function makeGrants(targets: readonly Target[]): Promise<void> {
  const ids = targets.filter(({ state }) => state !== 'missing').map(({ ownerId }) => Number(ownerId))
  const rows = ids.map((id) => ({ id, account_id: id, action: 'posts:edit', thing: 'post:1' }))
  await insertRows(env.DIRECTORY, 'grants', rows)
}

test('the sweep finds the operations of the staff', () => {
  expect(watched.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['suspendAccount', 'liftSuspension', 'setRole', 'listAudit']),
  )
})

test.each(watched)('$id by an admin is in the audit log, with the admin as the actor', async (operation) => {
  const admin = await newAdmin()
  const [parameter] = operation.parameters.filter((each) => each.in === 'path')
  const kind = parameter && kindOfParameter[parameter.name]
  const targets = kind
    ? await makeTargets(
        states[kind].map((state) => [kind, state]),
        admin.id,
      )
    : []
  if (onWaiting.includes(operation.id)) await makeWait(targets)
  if (operation.id === 'enableApp') await disableApps(targets)
  if (operation.id === 'deleteRole') await makeRoles(targets)
  if (operation.id === 'revokeGrant') await makeGrants(targets)
  for (const target of kind ? targets.map((each) => each.parameter) : [undefined]) {
    const json = await examples[operation.id]?.json?.()
    await call({ method: operation.method, path: pathOf(operation, target), token: admin.token, json })
  }
  await drained()
  const accounts = new Set(targets.flatMap(({ parameter, ownerId }) => [parameter, ownerId]))
  const entries = (await auditOf(admin.id)).filter(({ actorId }) => actorId === admin.id)
  expect(entries).not.toEqual([])
  const concerned = entries.flatMap(({ accountId }) => accountId ?? [])
  if (kind === 'account') expect(concerned.length).toBe(entries.length)
  if (kind) expect(concerned.every((id) => accounts.has(id))).toBe(true)
  expect(entries.every(({ client }) => client !== null)).toBe(true)
})
