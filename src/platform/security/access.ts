import { type Ctx, type Role, roles, type Viewer } from '../context.ts'
import { Failure, unavailable } from '../failures.ts'
import type { AccountStatus } from './access-guard.client.ts'
import type { Action } from './actions.ts'
import { forgetApiKey } from './api-keys.ts'
import { requireActionOnAny } from './authorize.ts'
import { keyIn } from './key-logins.ts'
import type { Scope } from './scopes.ts'
import { tokenMissing, unauthorized } from './tokens.ts'

/** Who may call an operation: everyone, or holders of at least this role. */
export type Access = 'public' | Role

/** What an operation requires of its caller. */
export type Requirement = {
  access: Access
  /** What the operation does. Who may do it may call the operation too, whatever the role; rules can refuse everyone. */
  action?: Action
  /** Required of every token, even on public operations. */
  scope?: Scope
}

/** Reads an account's status from the databases. Used while the account's guard does not respond. */
export type AccountStatusSource = (ctx: Ctx, viewer: Viewer) => Promise<AccountStatus>

/**
 * For a caller whose login is known to be active. Throws `unauthorized`, `forbidden` or `insufficient_scope`; the promise
 * is for operations with an action, about which `requireAction` decides again when their thing is known.
 */
export function requirePermission(ctx: Ctx, { access, action, scope }: Requirement): Promise<void> | null {
  const { viewer } = ctx
  if (viewer === null) {
    if (access === 'public') return null
    throw tokenMissing()
  }
  if (viewer.clientId !== undefined && !isForApps(access, scope)) throw ownClientsOnly()
  const role = roleFor(access, viewer)
  if (action) return requireActionOnAny(ctx, { action, role }).then(() => requireScope(viewer, scope))
  if (role === null) throw new Failure('forbidden')
  requireScope(viewer, scope)
  return null
}

/** Throws `insufficient_scope`. */
export function requireScope({ scopes }: Viewer, scope: Scope | undefined): void {
  if (scope && !scopes.has(scope)) throw new Failure('insufficient_scope', `The token needs the scope ${scope}`)
}

/** The role of the viewer if it has the access, otherwise null. */
export function roleFor(access: Access, { role }: Pick<Viewer, 'role'>): Role | null {
  return access !== 'public' && outranks(access, role) ? null : role
}

/** An app of another developer acts only where a scope says so, and never as staff. */
function isForApps(access: Access, scope: Scope | undefined): boolean {
  return access === 'public' || (access === 'user' && scope !== undefined)
}

/** 403 for an app of another developer. */
export function ownClientsOnly(): Failure {
  return new Failure('forbidden', 'Apps of other developers cannot do this')
}

/** Throws `unavailable` (status or keys unknown), `suspended`, or `unauthorized` (login ended, token or key revoked). */
export function requireActiveLogin(
  login: Pick<Viewer, 'sessionId' | 'issuedAt' | 'isRestricted'>,
  status: AccountStatus | null,
  whileSuspended = false,
): void {
  if (status === null) throw unavailable(2)
  if ((status.suspended || login.isRestricted) && !whileSuspended) throw new Failure('suspended')
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
