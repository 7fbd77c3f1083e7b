import type { Ctx, Role, UserCtx, Viewer } from '../context.ts'
import { Failure } from '../http/errors.ts'
import type { AccountStatus } from './access-guard.object.ts'
import { tokenMissing, unauthorized } from './tokens.ts'

/** Who may call an operation: everyone, or the holders of a role (a higher role includes the lower). */
export type Access = 'public' | Role

/** What a token may be allowed to do; our own clients ask for all of it. */
export const scopes = [
  'accounts:read',
  'accounts:write',
  'posts:read',
  'posts:write',
  'media:write',
  'notifications:read',
  'notifications:write',
  'realtime',
  'moderation',
] as const
export type Scope = (typeof scopes)[number]

const rank: Record<Role, number> = { user: 0, moderator: 1, admin: 2 }

/**
 * The one decision about a caller, deny by default: its role against `access`, its token's scopes against `scope`, and
 * how the account stands. Throws `unauthorized`, `forbidden`, `insufficient_scope`, `suspended`, or `unavailable` where
 * nobody knows how it stands.
 */
export function authorize(ctx: Ctx, access: Access, scope: Scope | null, standing: AccountStatus | null): void {
  const { viewer } = ctx
  if (viewer === null) {
    if (access === 'public') return
    throw tokenMissing()
  }
  requireActiveLogin(viewer, standing)
  if (access !== 'public' && rank[viewer.role] < rank[access]) throw new Failure('forbidden')
  if (scope !== null && !viewer.scopes.has(scope)) throw new Failure('insufficient_scope', `The scope is ${scope}`)
}

/** Throws `suspended` when a login's account is, and `unauthorized` when it has ended or its token is void. */
export function requireActiveLogin(
  login: Pick<Viewer, 'sessionId' | 'issuedAt'>,
  standing: AccountStatus | null,
): void {
  if (standing === null) throw new Failure('unavailable', undefined, { headers: { 'retry-after': '2' } })
  if (standing.suspended) throw new Failure('suspended')
  if (login.issuedAt <= standing.notBefore || standing.endedSessions.includes(login.sessionId)) throw unauthorized()
}

/** Whether one role is above another. */
export function outranks(role: Role, other: Role): boolean {
  return rank[role] > rank[other]
}

/** Where it is read how a viewer's account stands when the limiter does not say. */
export type AccountStatusSource = (ctx: Ctx, viewer: Viewer) => Promise<AccountStatus>

/** Tells the compiler what `authorize` has made sure of. */
export function hasViewer(ctx: Ctx): ctx is UserCtx {
  return ctx.viewer !== null
}
