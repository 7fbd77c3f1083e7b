import { env } from 'cloudflare:workers'
import { beforeAll, test } from 'vitest'
import type { Id } from '../src/platform/data/ids.ts'
import { explainMyAccess } from '../src/services/access/explain.ts'
import { giveGrant, revokeGrant } from '../src/services/access/grants.ts'
import { readAccess, setAccountRoles, setAttributes } from '../src/services/access/holders.ts'
import { rightsOf } from '../src/services/access/queries.ts'
import { deleteRole, listRoles, putRole } from '../src/services/access/roles.ts'
import { accountsOn } from './support/actors.ts'
import { type Budget, costOf, expectWithin } from './support/budgets.ts'
import { insertLogin } from './support/logins.ts'

// Checks the budgets of access in docs/architecture.md. All trips go to the directory.

let admin: Id
let holder: Id

beforeAll(async () => {
  ;[admin, holder] = await accountsOn(0, 1)
  await insertLogin(holder)
  await insertLogin(admin)
  await env.DIRECTORY.prepare("UPDATE users SET role = 'admin' WHERE id = ?").bind(Number(admin)).run()
})

const within = async (name: string, trips: number, budget: Budget, run: Parameters<typeof costOf>[1]) =>
  expectWithin(name, await costOf(admin, run), { trips, directoryTrips: trips, rowsRead: 40, ...budget })
const changing = { rowsWritten: 16, objectCalls: 4, queueMessages: 1 }
const editor = { roleName: 'editor', description: '', permissions: ['posts:edit'] }

test('making or deleting a role takes at most four trips, and two more for each account that has it', async () => {
  await within('make a role', 3, changing, (ctx) => putRole(ctx, editor))
  await costOf(admin, (ctx) => setAccountRoles(ctx, { accountId: holder, roles: ['editor'] }))
  await within('change a role', 6, changing, (ctx) => putRole(ctx, editor))
  await within('delete a role', 6, changing, (ctx) => deleteRole(ctx, editor))
})

test('giving an account roles, attributes and grants takes at most five trips', async () => {
  const attributes = [{ name: 'department', value: 'finance' }]
  const grant = { accountId: holder, action: 'posts:edit', thing: 'post:456' }
  let grantId = holder
  await costOf(admin, (ctx) => putRole(ctx, editor))
  await within('set roles', 5, changing, (ctx) => setAccountRoles(ctx, { accountId: holder, roles: ['editor'] }))
  await within('set attributes', 4, changing, (ctx) => setAttributes(ctx, { accountId: holder, attributes }))
  await within('give a grant', 3, changing, async (ctx) => {
    grantId = (await giveGrant(ctx, grant)).id
  })
  await within('revoke a grant', 4, changing, (ctx) => revokeGrant(ctx, { grantId }))
})

test('reading the roles, what an account has, its rights, or why it may do something takes one trip', async () => {
  await within('list roles', 1, {}, (ctx) => listRoles(ctx))
  await within('read access', 1, {}, (ctx) => readAccess(ctx, { accountId: holder }))
  await within('explain', 1, { objectCalls: 2 }, (ctx) => explainMyAccess(ctx, { action: 'posts:edit' }))
  const forgotten = { objectCalls: 2 }
  await within('rights that the guard has forgotten', 1, forgotten, (ctx) =>
    rightsOf({ ...ctx, defer: () => {} }, admin),
  )
})
