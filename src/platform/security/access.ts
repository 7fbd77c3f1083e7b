import { type Ctx, type Role, roles, type Viewer } from '../context.ts'
import { Failure, unavailable } from '../failures.ts'
import type { AccountStatus } from './access-guard.client.ts'
import { forgetApiKey, keyIn } from './api-keys.ts'
import type { Scope } from './scopes.ts'
import { tokenMissing, unauthorized } from './tokens.ts'

/** Who may call an operation: everyone, or holders of at least this role. */
export type Access = 'public' | Role

/** Reads an account's status from the databases. Used while the account's guard does not respond. */
export type AccountStatusSource = (ctx: Ctx, viewer: Viewer) => Promise<AccountStatus>

/** Throws `unauthorized`, `suspended`, `forbidden`, `insufficient_scope`, or `unavailable` if the status is unknown. */
export function authorize(ctx: Ctx, access: Access, scope: Scope | undefined, status: AccountStatus | null): void {
  if (ctx.viewer) requireActiveLogin(ctx.viewer, status)
  requirePermission(ctx, access, scope)
}

/** Like `authorize`, for a caller whose login is known to be active, such as for a list within an admitted request. */
export function requirePermission({ viewer }: Pick<Ctx, 'viewer'>, access: Access, scope: Scope | undefined): void {
  if (viewer === null) {
    if (access === 'public') return
    throw tokenMissing()
  }
  if (viewer.clientId !== undefined && !isForApps(access, scope)) throw ownClientsOnly()
  if (access !== 'public' && outranks(access, viewer.role)) throw new Failure('forbidden')
  if (scope && !viewer.scopes.has(scope)) throw new Failure('insufficient_scope', `The token needs the scope ${scope}`)
}

/** An app of another developer acts only where a scope says so, and never as staff. */
function isForApps(access: Access, scope: Scope | undefined): boolean {
  return access === 'public' || (access === 'user' && scope !== undefined)
}

/** 403 for an app of another developer. */
export function ownClientsOnly(): Failure {
  return new Failure('forbidden', 'Apps of other developers cannot do this')
}

/** Throws `unavailable` (status null), `suspended`, or `unauthorized` (the login has ended or its token is revoked). */
export function requireActiveLogin(login: Pick<Viewer, 'sessionId' | 'issuedAt'>, status: AccountStatus | null): void {
  if (status === null) throw unavailable(2)
  if (status.suspended) throw new Failure('suspended')
  const keyId = keyIn(login.sessionId)
  if (keyId !== null) requireLiveKey(login, keyId, status)
  else if (login.issuedAt <= status.revokedBefore || status.endedSessions.includes(login.sessionId))
    throw unauthorized()
}

function requireLiveKey(login: Pick<Viewer, 'sessionId'>, keyId: string, { keys }: AccountStatus): void {
  if (!keys) throw unavailable(2)
  if (keys.includes(keyId)) return
  forgetApiKey(login)
  throw unauthorized('The API key was revoked')
}

export function outranks(role: Role, other: Role): boolean {
  return roles.indexOf(role) > roles.indexOf(other)
}
