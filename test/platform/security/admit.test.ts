import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { asViewer, type Viewer } from '../../../src/platform/context.ts'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import { runVerb } from '../../../src/platform/http/operation.ts'
import type { AccountStatus } from '../../../src/platform/security/access-guard.client.ts'
import { forgetStatus } from '../../../src/platform/security/account-status.ts'
import { admit, type RequestCtx } from '../../../src/platform/security/admit.ts'
import { defineLimit } from '../../../src/platform/security/rate-limit.ts'
import { noRights, type Rights } from '../../../src/platform/security/rights.ts'
import { approveRegistrations } from '../../../src/services/identity/policy.ts'
import { readPosts } from '../../../src/services/posts/policy.ts'
import { newViewer } from '../../support/edge.ts'
import { contextWith } from '../../support/platform.ts'

const active: AccountStatus = { suspended: false, revokedBefore: 0, endedSessions: [] }
let ip = 0

beforeEach(() => {
  ip += 1
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

const request = (viewer: Viewer | null, status = active, age = 0): RequestCtx => ({
  ...contextWith(),
  viewer,
  clientIp: { network: `198.51.100.${ip}`, address: `198.51.100.${ip}` },
  readAccountStatus: async () => status,
  readLoginTime: async () => Date.now() - age,
})

test('without HTTP, admit checks role and scope and reports the rate limit', async () => {
  const viewer = newViewer({ scopes: new Set([readPosts]) })
  const budgets: Record<string, string>[] = []
  await admit(request(viewer), { access: 'user', scope: readPosts }, (headers) => void budgets.push(headers))
  expect(budgets).toEqual([expect.objectContaining({ 'ratelimit-policy': '"user";q=100;w=60' })])
  await expect(admit(request(null), { access: 'user' })).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(admit(request(viewer), { access: 'moderator' })).rejects.toMatchObject({ code: 'forbidden' })
  const unscoped = newViewer()
  await expect(admit(request(unscoped), { access: 'public', scope: readPosts })).rejects.toMatchObject({
    code: 'insufficient_scope',
  })
})

test('an action admits whom a role or a grant allows it, also while the AccessGuard is down, and scopes still apply', async () => {
  const approve = { access: 'moderator', action: approveRegistrations, scope: readPosts } as const
  const viewer = newViewer({ scopes: new Set([readPosts]) })
  const role = { name: 'approver', permissions: ['registrations:approve'] }
  const grant = { id: toId(1), action: 'registrations:approve', thing: 'account:1', until: null }
  const down = { GUARD: { getByName: () => ({ lease: () => Promise.reject(new Error('down')) }) } }
  const by = (rights: Partial<Rights>, caller = viewer, bindings = {}) => {
    const ctx = { ...request(caller), readRights: async () => ({ ...noRights, ...rights }) }
    return admit({ ...ctx, env: Object.assign({ ...ctx.env }, bindings) }, approve)
  }
  await by({ roles: [role] })
  await by({ roles: [role] }, viewer, down)
  await by({ grants: [grant] })
  await expect(by({})).rejects.toMatchObject({ code: 'forbidden' })
  await expect(by({}, viewer, down)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(by({ grants: [{ ...grant, until: 1 }] })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(by({ roles: [role] }, newViewer())).rejects.toMatchObject({ code: 'insufficient_scope' })
})

test('what one account may do is not handed on to another one', async () => {
  const viewer = newViewer({ scopes: new Set([readPosts]) })
  const roles = [{ name: 'approver', permissions: ['registrations:approve'] }]
  const readRights = async (_: unknown, id: Id) => ({ ...noRights, roles: id === viewer.id ? roles : [] })
  const ctx = { ...request(viewer), allowed: new Set<string>(), readRights }
  const approve = { access: 'moderator', action: approveRegistrations, scope: readPosts } as const
  await admit(ctx, approve)
  const run = async () => 'done'
  const verb = { ...approve, id: 'approve', method: 'put', path: '/', summary: '', returns: null, run } as const
  expect(await runVerb(verb, ctx, {})).toBe('done')
  await expect(runVerb(verb, asViewer(ctx, newViewer().id), {})).rejects.toMatchObject({ code: 'forbidden' })
})

test('the limit of an operation counts requests per IP address, not per viewer', async () => {
  const limit = defineLimit(`rare-${ip}`, { quota: 2, window: 60 })
  for (let n = 0; n < 2; n++) await admit(request(newViewer()), { access: 'public', limit })
  await expect(admit(request(null), { access: 'public', limit })).rejects.toMatchObject({ code: 'rate_limited' })
})

test('without an answer of the AccessGuard, admit uses the status from readAccountStatus where the feed lists a change', async () => {
  const ctx = request(newViewer(), { ...active, suspended: true })
  const GUARD = { getByName: () => ({ lease: () => Promise.reject(new Error('down')) }) }
  ctx.env = Object.assign({ ...ctx.env }, { GUARD })
  await admit(ctx, { access: 'public' })
  forgetStatus(ctx, ctx.viewer!.id)
  await expect(admit(ctx, { access: 'public' })).rejects.toMatchObject({ code: 'suspended' })
})

test('an operation that requires a fresh login refuses a login whose credentials were entered ten minutes ago', async () => {
  const rule = { access: 'user', fresh: true } as const
  await admit(request(newViewer(), active, 599_000), rule)
  await expect(admit(request(newViewer(), active, 600_000), rule)).rejects.toMatchObject({
    code: 'fresh_login_required',
  })
  await admit(request(newViewer(), active, 600_000), { access: 'user' })
})
