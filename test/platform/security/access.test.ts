import { expect, test } from 'vitest'
import type { Ctx, Role, Viewer } from '../../../src/platform/context.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import type { Failure } from '../../../src/platform/failures.ts'
import { type Access, requireActiveLogin, requirePermission } from '../../../src/platform/security/access.ts'
import type { AccountStatus } from '../../../src/platform/security/access-guard.client.ts'
import type { Scope } from '../../../src/platform/security/scopes.ts'
import { readPosts, writePosts } from '../../../src/services/posts/policy.ts'
import { contextWith } from '../../support/platform.ts'

const good: AccountStatus = { suspended: false, revokedBefore: 0, endedSessions: [] }
const roles: Role[] = ['user', 'moderator', 'admin']
const accesses: Access[] = ['public', ...roles]

function verdict(viewer: Partial<Viewer> | null, access: Access, status: Partial<AccountStatus> = {}, scope?: Scope) {
  const whole: Viewer = {
    id: toId(5),
    role: 'user',
    scopes: new Set(),
    sessionId: 'login 1',
    issuedAt: 1_000,
    ...viewer,
  }
  const ctx: Ctx = { ...contextWith(), viewer: viewer && whole }
  try {
    if (viewer) requireActiveLogin(whole, { ...good, ...status })
    requirePermission(ctx, { access, scope })
    return 'in'
  } catch (error) {
    return (error as Failure).code
  }
}

test('a role has the access of the lower roles and not of the higher roles', () => {
  const table = [null, ...roles].map((role) => accesses.map((access) => verdict(role && { role }, access)))
  expect(table).toEqual([
    ['in', 'unauthorized', 'unauthorized', 'unauthorized'],
    ['in', 'in', 'forbidden', 'forbidden'],
    ['in', 'in', 'in', 'forbidden'],
    ['in', 'in', 'in', 'in'],
  ])
})

test('a token needs the scope even on public operations, where anonymous requests need no scope', () => {
  const scope = writePosts
  expect(verdict({ scopes: new Set([scope]) }, 'user', {}, scope)).toBe('in')
  expect(verdict({ scopes: new Set([readPosts]) }, 'user', {}, scope)).toBe('insufficient_scope')
  expect(verdict({ scopes: new Set() }, 'public', {}, scope)).toBe('insufficient_scope')
  expect(verdict({ role: 'admin', scopes: new Set() }, 'admin', {}, scope)).toBe('insufficient_scope')
  expect(verdict(null, 'public', {}, scope)).toBe('in')
})

test('suspended accounts may do nothing, whatever their role', () => {
  for (const role of roles) {
    for (const access of accesses) expect(verdict({ role }, access, { suspended: true })).toBe('suspended')
  }
})

test('a token of an ended session or issued before a revocation is refused at every access level', () => {
  for (const access of accesses) {
    expect(verdict({ role: 'admin' }, access, { endedSessions: ['login 0', 'login 1'] })).toBe('unauthorized')
    expect(verdict({ role: 'admin' }, access, { revokedBefore: 1_000 })).toBe('unauthorized')
    expect(verdict({ role: 'admin' }, access, { revokedBefore: 999, endedSessions: ['login 2'] })).toBe('in')
  }
})
