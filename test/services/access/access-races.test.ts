import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { UserCtx } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { userLimit } from '../../../src/platform/security/rate-limit.ts'
import { noRights } from '../../../src/platform/security/rights.ts'
import { explainMyAccess } from '../../../src/services/access/explain.ts'
import { giveGrant, revokeGrant } from '../../../src/services/access/grants.ts'
import { setAccountRoles, setAttributes } from '../../../src/services/access/holders.ts'
import { rightsOf, syncRights } from '../../../src/services/access/queries.ts'
import { deleteRole, putRole } from '../../../src/services/access/roles.ts'
import { bindingOf, requestBy } from '../../../src/surfaces/rpc/binding.ts'
import { accountsOn } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber } from '../../support/auth.ts'
import { insertLogin } from '../../support/logins.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { things } from '../../support/things.ts'
import { asModerator, asUser, failure } from '../../support/viewers.ts'

let admin: Id
let holder: Id
beforeAll(async () => {
  ;[admin, holder] = await accountsOn(0, 1)
  for (const id of [admin, holder]) await insertLogin(id)
  await makeAdmin('admin')
})

const makeAdmin = (role: string) =>
  env.DIRECTORY.prepare('UPDATE users SET role = ? WHERE id = ?').bind(role, Number(admin)).run()
const asAdmin = (): UserCtx => {
  const ctx = asUser(admin)
  return { ...ctx, viewer: { ...ctx.viewer, role: 'admin' } }
}
const grant = (thing: string, until?: string) =>
  giveGrant(asAdmin(), { accountId: holder, action: 'posts:edit', thing, until })
const attributes = [{ name: 'department', value: 'finance' }]

test('somebody who is admin no more gives and takes nothing, although the token still works', async () => {
  await putRole(asAdmin(), { roleName: 'clerk', description: '', permissions: [] })
  const { id: grantId } = await grant('post:1')
  await makeAdmin('user')
  const attempts = [
    () => grant('post:2'),
    () => revokeGrant(asAdmin(), { grantId }),
    () => setAccountRoles(asAdmin(), { accountId: holder, roles: ['clerk'] }),
    () => setAttributes(asAdmin(), { accountId: holder, attributes }),
    () => putRole(asAdmin(), { roleName: 'clerk', description: '', permissions: ['posts:edit'] }),
    () => deleteRole(asAdmin(), { roleName: 'clerk' }),
  ]
  for (const attempt of attempts) await expect(attempt()).rejects.toEqual(failure('forbidden'))
  await makeAdmin('admin')
  expect(await rightsOf(asUser(holder), holder)).toEqual({
    ...noRights,
    grants: [expect.objectContaining({ id: grantId })],
  })
  expect(await directoryNumber("select count(*) n from roles where permissions = '[]'")).toBe(1)
  await revokeGrant(asAdmin(), { grantId })
})

test('a grant is revoked although the replica does not have it yet', async () => {
  const { id: grantId } = await grant('post:3')
  const lagging = createContext({ env: withLaggingReplicas(env), waitUntil: () => {} })
  await revokeGrant({ ...lagging, viewer: asAdmin().viewer }, { grantId })
  expect(await directoryNumber('select count(*) n from grants where id = ?', Number(grantId))).toBe(0)
})

test('the audit log says when a grant expires', async () => {
  const until = '2999-01-01T00:00:00.000Z'
  await grant('post:4', until)
  await queues.deliver()
  const details = (await auditOf(holder)).map(({ detail }) => JSON.parse(detail ?? '{}'))
  expect(details).toContainEqual({ granted: 'posts:edit', thing: 'post:4', until })
})

test('rights that were read before a change do not overwrite those that the change gave to the guard', async () => {
  const guard = env.GUARD.getByName(`user:${holder}`)
  await guard.erase()
  const late: (() => Promise<unknown>)[] = []
  const before = await rightsOf({ ...asUser(holder), defer: (work) => void late.push(work) }, holder)
  await setAttributes(asAdmin(), { accountId: holder, attributes })
  await Promise.all(late.map((work) => work()))
  const { status } = await guard.lease(userLimit, 0)
  expect(status.rights).toEqual({ ...before, attributes: { department: 'finance' } })
})

test('a binding without staff gets the attributes of the account, which rules read, but no role and no grant', async () => {
  await grant('post:5')
  const binding = bindingOf({ caller: 'mailer', actsAs: 'users', scopes: ['things:read', 'things:write'] })
  const ctx = await requestBy(queues.context(), binding, things[2]!, undefined).catch(() => null)
  const open = await requestBy(
    queues.context(),
    binding,
    { ...things[0]!, access: 'public', scope: undefined },
    undefined,
  )
  expect(ctx).toBeNull()
  expect(await open.readRights?.(open, holder)).toEqual({ ...noRights, attributes: { department: 'finance' } })
  await syncRights(queues.context(), { accountId: holder })
})

test('an explanation about another account does not reveal whose a post is that the asker cannot see', async () => {
  const postId = await publishedId(holder, { visibility: 'followers' })
  const question = { action: 'posts:edit', thing: `post:${postId}` }
  const moderator = asModerator(admin)
  expect(await explainMyAccess(moderator, { ...question, accountId: holder })).toMatchObject({ decidedBy: null })
  expect(await explainMyAccess(asUser(holder), question)).toMatchObject({ decidedBy: { name: 'own-posts' } })
})
