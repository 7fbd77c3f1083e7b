import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { type Id, toId } from '../src/platform/data/ids.ts'
import { defineRules } from '../src/platform/security/authorize.ts'
import type { Thing } from '../src/platform/security/decide.ts'
import { explainMyAccess } from '../src/services/access/explain.ts'
import { giveGrant, revokeGrant } from '../src/services/access/grants.ts'
import { readAccess, setAccountRoles, setAttributes } from '../src/services/access/holders.ts'
import { rightsOf } from '../src/services/access/queries.ts'
import { deleteRole, listRoles, putRole } from '../src/services/access/roles.ts'
import { suspendAccounts } from '../src/services/accounts/policy.ts'
import { accountsOn, type RegisteredUser, registeredUser, setRole } from './support/actors.ts'
import { type Budget, costOf, expectWithin } from './support/budgets.ts'
import { insertLogin } from './support/logins.ts'
import { publishedId } from './support/posting.ts'

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

type User = RegisteredUser

// A decision that needs the rights of the account asks the rules twice: before the rights are read, and after.
test('a request decides once on its action, and again only where the owner of the thing or a grant matters', async () => {
  let asked = 0
  const decide = () => {
    asked += 1
    return 'abstain' as const
  }
  defineRules({ name: 'counted', action: '*', decide })
  const counted = async (request: Promise<Response>) => {
    asked = 0
    return [(await request).status, asked]
  }
  const suspend = (by: User, { id }: User) => by.fetch(`/v1/accounts/${id}/suspension`, { method: 'PUT' })
  const people = Array.from({ length: 5 }, () => registeredUser())
  const [boss, ada, clerk, spammer, third] = (await Promise.all(people)) as [User, User, User, User, User]
  await setRole(boss, 'admin')
  const put = async (path: string, json: object) =>
    expect((await boss.fetch(`/v1${path}`, { method: 'PUT', json })).ok).toBe(true)
  const edit = (by: User, id: string) => by.fetch(`/v1/posts/${id}`, { method: 'PATCH', json: { text: 'edited' } })
  expect(await counted(ada.fetch('/v1/posts', { method: 'POST', json: { text: 'counted' } }))).toEqual([201, 1])
  expect(await counted(suspend(clerk, spammer))).toEqual([403, 2])
  await put(`/accounts/${clerk.id}/grants`, { action: 'accounts:suspend', thing: `account:${third.id}` })
  expect(await counted(suspend(clerk, third))).toEqual([204, 4])
  await put('/roles/warden', { permissions: ['accounts:suspend'] })
  await put(`/accounts/${clerk.id}/roles`, { roles: ['warden'] })
  expect(await counted(suspend(clerk, spammer))).toEqual([204, 2])
  const postId = await publishedId(toId(Number(ada.id)))
  expect(await counted(edit(ada, postId))).toEqual([200, 2])
  expect(await counted(edit(clerk, postId))).toEqual([403, 3])
  const query =
    'mutation { first: createPost(input: { text: "1" }) { id } second: createPost(input: { text: "2" }) { id } }'
  expect(await counted(ada.fetch('/graphql', { method: 'POST', json: { query } }))).toEqual([200, 2])
})

test('a rule about one thing decides although the admission, which does not know the thing, has allowed the action', async () => {
  const [moderator, safe, other] = [await registeredUser(), await registeredUser(), await registeredUser()]
  await setRole(moderator, 'moderator')
  const decide = ({ thing }: { thing: Thing | null }) => (thing?.id === safe.id ? 'deny' : 'abstain')
  defineRules({ name: 'safe', action: suspendAccounts, of: 'thing', decide })
  const suspend = async ({ id }: User) =>
    (await moderator.fetch(`/v1/accounts/${id}/suspension`, { method: 'PUT' })).status
  expect([await suspend(safe), await suspend(other)]).toEqual([403, 204])
  expect([(await safe.fetch('/v1/me/access?action=posts:edit')).status]).toEqual([200])
})
