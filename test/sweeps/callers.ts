import type { Role } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/failures.ts'
import { insertApiKey } from '../support/api-keys.ts'
import { insertLogin } from '../support/logins.ts'
import { mint } from '../support/tokens.ts'
import type { Operation } from './operations.ts'

/** A caller: its relation to the owner of the target, and the kind of token that it sends. */
export type Caller = {
  name:
    | 'nobody'
    | 'owner'
    | 'other'
    | 'blocked'
    | 'moderator'
    | 'admin'
    | 'suspended'
    | 'expired'
    | 'forged'
    | 'misdirected'
    | 'scopeless'
    | 'stale'
    | 'program'
    | 'lesser program'
    | 'delegate'
    | 'granted'
    | 'denied'
    | 'app'
    | 'scopeless app'
  role: Role
  token: (id: Id, operation: Operation) => Promise<string> | null
  /** The failure that this caller gets from the operation before the target is read, or null. */
  refused?: (operation: Operation) => Code | null
  /** The operations that this caller calls; all by default. */
  calls?: (operation: Operation) => boolean
}

/** Operations that read or renew the caller's login, so it must exist. */
const ofLogin = new Set(['changePassword', 'repeatAuthorization', 'editPost'])

/** A token whose login is fresh if the operation requires that. */
async function freshToken(
  id: Id,
  operation: Operation,
  options: { role?: Role; without?: string; clientId?: string } = {},
) {
  const needsLogin = operation.fresh || ofLogin.has(operation.id)
  return mint(id, { ...options, ...(needsLogin && { sessionId: await insertLogin(id) }) })
}

const APP = '1970324836974593'

/** An app of another developer is refused without a scope, where a role is required, and where people manage their login. */
const refusedApp = ({ access, scope, fresh, ownClients }: Operation, hasScope: boolean): Code | null => {
  if (access !== 'public' && (access !== 'user' || scope === null)) return 'forbidden'
  if (scope !== null && !hasScope) return 'insufficient_scope'
  return ownClients || fresh ? 'forbidden' : null
}

const rank: Record<Role, number> = { user: 0, moderator: 1, admin: 2 }
const unauthorized = (): Code => 'unauthorized'
const isStaffs = ({ access, action }: Operation) => action !== null || access === 'moderator' || access === 'admin'
const hasAction = ({ action, id }: Operation) => action !== null || id === 'openRealtime'

export const callers: Caller[] = [
  {
    name: 'nobody',
    role: 'user',
    token: () => null,
    refused: ({ access }) => (access === 'public' ? null : 'unauthorized'),
  },
  ...(['owner', 'other', 'blocked'] as const).map((name): Caller => ({ name, role: 'user', token: freshToken })),
  ...(['moderator', 'admin'] as const).map(
    (role): Caller => ({ name: role, role, token: (id, operation) => freshToken(id, operation, { role }) }),
  ),
  {
    name: 'suspended',
    role: 'user',
    token: freshToken,
    refused: ({ whileSuspended }) => (whileSuspended ? null : 'suspended'),
  },
  { name: 'expired', role: 'admin', token: (id) => mint(id, { role: 'admin', age: 3_601 }), refused: unauthorized },
  { name: 'forged', role: 'admin', token: (id) => mint(id, { role: 'admin', forged: true }), refused: unauthorized },
  {
    name: 'misdirected',
    role: 'admin',
    token: (id) => mint(id, { role: 'admin', audience: 'https://other.test/v1' }),
    refused: unauthorized,
  },
  {
    name: 'scopeless',
    role: 'admin',
    token: (id, operation) =>
      freshToken(id, operation, { role: 'admin', ...(operation.scope && { without: operation.scope }) }),
    refused: ({ scope }) => (scope === null ? null : 'insufficient_scope'),
  },
  {
    name: 'stale',
    role: 'admin',
    token: async (id) => mint(id, { role: 'admin', sessionId: await insertLogin(id, { minutesAgo: 11 }) }),
    refused: ({ fresh }) => (fresh ? 'fresh_login_required' : null),
  },
  {
    name: 'app',
    role: 'user',
    token: (id, operation) => freshToken(id, operation, { clientId: APP }),
    refused: (operation) => refusedApp(operation, true),
  },
  {
    name: 'scopeless app',
    role: 'user',
    token: (id, operation) =>
      freshToken(id, operation, { clientId: APP, ...(operation.scope && { without: operation.scope }) }),
    refused: (operation) => refusedApp(operation, false),
  },
  {
    name: 'program',
    role: 'user',
    token: async (id) => (await insertApiKey(id)).key,
    refused: refusedToKeys,
  },
  {
    name: 'lesser program',
    role: 'user',
    token: async (id, { scope }) => (await insertApiKey(id, { without: scope })).key,
    refused: (operation) =>
      forStaff(operation) ?? (operation.scope === null ? refusedToKeys(operation) : 'insufficient_scope'),
  },
  // A role with every action, a grant of each action on each target, and a rule that denies everything to an admin.
  { name: 'delegate', role: 'user', token: freshToken, calls: (each) => isStaffs(each) || hasAction(each) },
  { name: 'granted', role: 'user', token: freshToken, calls: hasAction },
  {
    name: 'denied',
    role: 'admin',
    token: (id, operation) => freshToken(id, operation, { role: 'admin' }),
    refused: ({ action }) => (action ? 'forbidden' : null),
    calls: hasAction,
  },
]

const forStaff = ({ access }: Operation): Code | null => (access === 'public' || access === 'user' ? null : 'forbidden')

/** API keys have the role of a user, and no login. */
function refusedToKeys(operation: Operation): Code | null {
  return operation.login ? 'forbidden' : forStaff(operation)
}

/** The failure that a caller gets from an operation whatever the target is, or null. */
export function refusalOf({ name, role, refused }: Caller, operation: Operation): Code | null {
  const refusal = refused?.(operation) ?? null
  if (refusal !== null || operation.access === 'public') return refusal
  if (rank[role] >= rank[operation.access]) return null
  const isGranted = name === 'granted' && operation.path.includes('{')
  return operation.action && (name === 'delegate' || isGranted) ? null : 'forbidden'
}
