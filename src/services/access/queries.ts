import { and, asc, eq, gt, isNull, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { statusInGuard } from '../../platform/security/account-status.ts'
import { fillRights, setRights } from '../../platform/security/revocation.ts'
import type { Rights } from '../../platform/security/rights.ts'
import { users } from '../identity/tables.ts'
import { accountAttributes, accountRoles, grants, roles } from './tables.ts'

/** The rights of an account, from its guard. Reads the directory only if the guard does not know them. */
export async function rightsOf(ctx: SystemCtx, accountId: Id): Promise<Rights> {
  const stored = (await statusInGuard(ctx, accountId))?.rights
  if (stored) return stored
  const { rights } = await readHolder(ctx, accountId)
  ctx.defer(() => fillRights(ctx, accountId, rights))
  return rights
}

/** Copies the rights to the guard of the account. They apply in this isolate at once, in others within two seconds. */
export async function syncRights(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const read = async () => (await readHolder(ctx, accountId)).rights
  await mirror(read, (rights) => setRights(ctx, accountId, rights))
}

/** The directory's row of an account (undefined if it has none) and its rights, read at the primary in one trip. */
export async function readHolder(ctx: SystemCtx, accountId: Id) {
  const db = atPrimary(ctx).directory
  const { id, action, thing, until } = grants
  const { role, emailVerified, suspended } = users
  const [[user], held, attributes, given] = await db.batch([
    db.select({ role, isVerified: emailVerified, isSuspended: suspended }).from(users).where(eq(users.id, accountId)),
    db
      .select({ name: roles.name, permissions: roles.permissions })
      .from(accountRoles)
      .innerJoin(roles, eq(roles.id, accountRoles.roleId))
      .where(eq(accountRoles.accountId, accountId))
      .orderBy(asc(roles.name)),
    db
      .select({ name: accountAttributes.name, value: accountAttributes.value })
      .from(accountAttributes)
      .where(eq(accountAttributes.accountId, accountId))
      .orderBy(asc(accountAttributes.name)),
    db
      .select({ id, action, thing, until })
      .from(grants)
      .where(and(eq(grants.accountId, accountId), or(isNull(until), gt(until, ctx.now()))))
      .orderBy(asc(id)),
  ])
  const rights: Rights = {
    roles: held,
    attributes: Object.fromEntries(attributes.map(({ name, value }) => [name, value])),
    grants: given,
  }
  return { user, rights }
}
