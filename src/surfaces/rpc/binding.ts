import { z } from '@hono/zod-openapi'
import type { SystemCtx, Viewer } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import type { Operation, VerbOperation } from '../../platform/http/operation.ts'
import { declaredActions } from '../../platform/security/actions.ts'
import type { RequestCtx } from '../../platform/security/admit.ts'
import type { Limit } from '../../platform/security/rate-limit.ts'
import { noRights, type Rights } from '../../platform/security/rights.ts'
import { declaredScopes } from '../../platform/security/scopes.ts'
import { rightsOf } from '../../services/access/queries.ts'
import { readRole } from '../../services/identity/queries.ts'
import { activeSince, readStatus } from './standing.ts'

/** The `props` of a service binding. Only who deploys the calling Worker can set them, so they are its capability. */
const Binding = z.strictObject({
  caller: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  /** `users` may act as any account, `system` as none. Both may call public operations without one. */
  actsAs: z.enum(['users', 'system']),
  scopes: z.array(z.string()).max(50),
  /** Whether it may use the roles and grants of the account that acts. */
  staff: z.boolean().default(false),
})
export type Binding = z.infer<typeof Binding>

/** For calls without an account, per calling Worker. It stops a loop, not a busy Worker. */
export const systemLimit: Limit = { name: 'rpc', quota: 6_000, window: 60, failure: 'open', lease: 20 }

/** Throws `forbidden` for a binding without valid props, so a Worker that was given none may do nothing. */
export function bindingOf(props: unknown): Binding {
  const { data, error } = Binding.safeParse(props)
  const [issue] = error?.issues ?? []
  if (!data) throw new Failure('forbidden', `The props of the binding: ${issue?.path.join('.')} ${issue?.message}`)
  const unknown = data.scopes.find((scope) => !declaredScopes().has(scope))
  if (unknown !== undefined) throw new Failure('forbidden', `The props of the binding: the scope ${unknown} is unknown`)
  return data
}

export function callerOf(props: unknown): string | undefined {
  return Binding.shape.caller.safeParse(Object(props).caller).data
}

const needsLogin = 'It requires a login in which the person has just entered the credentials'

/** The operation as a verb. Throws `forbidden` for operations that need what only a person and its client have. */
export function offered(operation: Operation): VerbOperation {
  const { id, noRpc, fresh } = operation
  const reason = noRpc ?? (fresh ? needsLogin : null)
  if ('run' in operation && !reason) return operation
  throw new Failure('forbidden', `${id} cannot be called by other Workers. ${reason ?? 'It answers over HTTP only'}`)
}

/** The context of a call. Throws `unauthorized`, `forbidden` or `insufficient_scope`. */
export async function requestBy(
  ctx: SystemCtx,
  binding: Binding,
  operation: Operation,
  accountId: Id | undefined,
): Promise<RequestCtx> {
  const { caller } = binding
  return {
    ...ctx,
    viewer: await viewerOf(ctx, binding, operation, accountId),
    clientIp: { network: caller, address: caller },
    callerLimit: systemLimit,
    client: { address: null, userAgent: caller, place: null },
    readAccountStatus: readStatus,
    readLoginTime: async () => 0,
    readRights: binding.staff ? rightsOf : attributesOf,
    allowed: new Set(),
  }
}

/** Rules about the account apply to every binding. */
async function attributesOf(ctx: SystemCtx, accountId: Id): Promise<Rights> {
  const { attributes } = await rightsOf(ctx, accountId)
  return { ...noRights, attributes }
}

/** The account that acts; null for the system. Its role is read only if it matters to the operation. */
async function viewerOf(
  ctx: SystemCtx,
  { actsAs, scopes, staff }: Binding,
  { access, action, scope }: Operation,
  accountId: Id | undefined,
): Promise<Viewer | null> {
  if (accountId === undefined && access !== 'public') {
    throw new Failure('unauthorized', 'Name the account that acts: { as: accountId }')
  }
  if (accountId !== undefined && actsAs === 'system') {
    throw new Failure('forbidden', 'This binding may not act as an account')
  }
  if (scope && !scopes.includes(scope)) throw new Failure('insufficient_scope', `The binding needs the scope ${scope}`)
  if (accountId === undefined) return null
  const isForStaff = access !== 'public' && access !== 'user'
  if (isForStaff && !staff) throw new Failure('forbidden', 'This binding may not use the rights of staff')
  const isStaffs = action !== undefined && declaredActions().get(action)?.role !== 'user'
  const role = staff && (isForStaff || isStaffs) ? await readRole(ctx, accountId) : 'user'
  const issuedAt = await activeSince(ctx, accountId)
  return { id: accountId, role, scopes: new Set(scopes), sessionId: '', issuedAt }
}
