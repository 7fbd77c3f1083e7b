import { expect, test } from 'vitest'
import { type Act, mayDo, type Role, roles, successorOf } from '../../../src/services/messaging/group-policy.ts'

const ask = (act: Act, role: Role, target: Role | null = null, more: { locked?: boolean; adding?: 'admins' } = {}) =>
  mayDo({ act, role, target, locked: false, adding: 'everyone', ...more })

/** Who may do it to whom: for each role that acts, the roles of the targets. */
const table: Record<'remove' | 'set-role', Record<Role, Role[]>> = {
  remove: { owner: ['admin', 'member'], admin: ['member'], member: [] },
  'set-role': { owner: ['admin', 'member'], admin: [], member: [] },
}

for (const act of ['remove', 'set-role'] as const) {
  test.each(roles.flatMap((role) => roles.map((target) => ({ role, target }))))(
    `${act} by $role of $target is as the table says`,
    ({ role, target }) => {
      expect(ask(act, role, target)).toBe(table[act][role].includes(target))
    },
  )
}

test.each([
  ['write', {}, ['owner', 'admin', 'member']],
  ['write', { locked: true }, ['owner', 'admin']],
  ['add', {}, ['owner', 'admin', 'member']],
  ['add', { adding: 'admins' }, ['owner', 'admin']],
  ['edit', {}, ['owner', 'admin']],
  ['decide', {}, ['owner', 'admin']],
] as const)('%s with %o is for %o only', (act, settings, allowed) => {
  expect(roles.filter((role) => ask(act, role, null, settings))).toEqual(allowed)
})

test('the oldest admin succeeds the owner, else the oldest member, and of two equally old ones the older account', () => {
  const member = (accountId: number, role: Role, since: number) => ({ accountId, role, since })
  const people = [member(1, 'member', 1), member(2, 'admin', 9), member(3, 'admin', 5), member(4, 'admin', 5)]
  expect(successorOf(people)?.accountId).toBe(3)
  expect(successorOf(people.slice(0, 1))?.accountId).toBe(1)
  expect(successorOf([])).toBeNull()
})
