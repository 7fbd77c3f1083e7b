import { expect, test } from 'vitest'
import type { Ctx, Role, Viewer } from '../../../src/platform/context.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import type { Failure } from '../../../src/platform/http/errors.ts'
import { type Access, authorize, hasViewer, type scopes } from '../../../src/platform/security/access.ts'
import type { AccountStatus } from '../../../src/platform/security/access-guard.object.ts'
import { contextWith } from '../../support/platform.ts'

const good: AccountStatus = { suspended: false, notBefore: 0, endedSessions: [] }
const roles: Role[] = ['user', 'moderator', 'admin']
const accesses: Access[] = ['public', ...roles]

function verdict(
  viewer: Partial<Viewer> | null,
  access: Access,
  standing: Partial<AccountStatus> = {},
  scope: (typeof scopes)[number] | null = null,
) {
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
    authorize(ctx, access, scope, { ...good, ...standing })
    return 'in'
  } catch (error) {
    return (error as Failure).code
  }
}

test('a role opens what it and the lower ones may open, and nothing above', () => {
  const table = [null, ...roles].map((role) => accesses.map((access) => verdict(role && { role }, access)))
  expect(table).toEqual([
    ['in', 'unauthorized', 'unauthorized', 'unauthorized'],
    ['in', 'in', 'forbidden', 'forbidden'],
    ['in', 'in', 'in', 'forbidden'],
    ['in', 'in', 'in', 'in'],
  ])
})

test('a token does what its scopes say, on public routes too; who has none needs none there', () => {
  const scope = 'posts:write'
  expect(verdict({ scopes: new Set([scope]) }, 'user', {}, scope)).toBe('in')
  expect(verdict({ scopes: new Set(['posts:read']) }, 'user', {}, scope)).toBe('insufficient_scope')
  expect(verdict({ scopes: new Set() }, 'public', {}, scope)).toBe('insufficient_scope')
  expect(verdict({ role: 'admin', scopes: new Set() }, 'admin', {}, scope)).toBe('insufficient_scope')
  expect(verdict(null, 'public', {}, scope)).toBe('in')
})

test('suspended accounts are let in nowhere, whatever their role', () => {
  for (const role of roles) {
    for (const access of accesses) expect(verdict({ role }, access, { suspended: true })).toBe('suspended')
  }
})

test('tokens of an ended login, or from before a change of password, are void everywhere', () => {
  for (const access of accesses) {
    expect(verdict({ role: 'admin' }, access, { endedSessions: ['login 0', 'login 1'] })).toBe('unauthorized')
    expect(verdict({ role: 'admin' }, access, { notBefore: 1_000 })).toBe('unauthorized')
    expect(verdict({ role: 'admin' }, access, { notBefore: 999, endedSessions: ['login 2'] })).toBe('in')
  }
})

test('a context has a viewer when somebody is known to ask', () => {
  expect(hasViewer({ ...contextWith(), viewer: null })).toBe(false)
})
