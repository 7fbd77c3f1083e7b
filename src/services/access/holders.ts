import { z } from '@hono/zod-openapi'
import { and, eq, exists, inArray, notInArray, type SQL } from 'drizzle-orm'
import { roles as builtIn, type UserCtx } from '../../platform/context.ts'
import { all, one, query, refusals, rowIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { invalid, notFound } from '../../platform/failures.ts'
import { iso } from '../../platform/personal-data.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { requireOther } from '../accounts/policy.ts'
import { adminRefusals, whileAdmin } from '../identity/statements.ts'
import { users } from '../identity/tables.ts'
import { attributesGiven, rolesGiven } from './events.ts'
import { readHolder, syncRights } from './queries.ts'
import { accountAttributes, accountRoles, roles } from './tables.ts'
import { type AccountAccess, AccountAttribute, MAX_ATTRIBUTES, MAX_ROLES, RoleName } from './views.ts'

export const RolesChange = z.strictObject({ roles: z.array(RoleName).max(MAX_ROLES) }).openapi('RolesChange')
export const AttributesChange = z
  .strictObject({ attributes: z.array(AccountAttribute).max(MAX_ATTRIBUTES) })
  .openapi('AttributesChange')

type Of<T extends z.ZodType> = { accountId: Id } & z.infer<T>

export function isVerified(accountId: Id): SQL {
  const verified = and(eq(users.id, accountId), eq(users.emailVerified, true))
  return exists(query.select(one).from(users).where(verified))
}

/** Throws `not_found` for an account that is not verified. */
export async function readAccess(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<AccountAccess> {
  const { user, rights } = await readHolder(ctx, accountId)
  if (!user?.isVerified) throw notFound()
  return {
    accountId,
    roles: [user.role, ...rights.roles.map(({ name }) => name)],
    attributes: Object.entries(rights.attributes).map(([name, value]) => ({ name, value })),
    grants: rights.grants.map((grant) => ({ ...grant, until: iso(grant.until) })),
  }
}

/** Replaces the roles that administrators gave the account. Its built-in role stays. */
export async function setAccountRoles(ctx: UserCtx, input: Of<typeof RolesChange>): Promise<AccountAccess> {
  const { accountId } = input
  requireOther(ctx, accountId)
  const names = [...new Set(input.roles)]
  if (names.some((name) => builtIn.some((role) => role === name))) {
    throw invalid('roles', 'may contain no built-in role, which `setRole` sets')
  }
  const db = ctx.db.directory
  const [known, [user]] = await db.batch([
    db.select({ id: roles.id }).from(roles).where(inArray(roles.name, names)),
    db.select({ isVerified: users.emailVerified }).from(users).where(eq(users.id, accountId)),
  ])
  if (!user?.isVerified) throw notFound()
  if (known.length < names.length) throw invalid('roles', 'contains a role that does not exist')
  const ids = known.map(({ id }) => id)
  const actor = await actorOf(ctx)
  const held = eq(accountRoles.accountId, accountId)
  const rows = ids.map((roleId) => {
    const role = exists(query.select(one).from(roles).where(eq(roles.id, roleId)))
    return db
      .insert(accountRoles)
      .select(rowIf(accountRoles, { accountId, roleId }, all(isVerified(accountId), role)))
      .onConflictDoNothing()
  })
  await db
    .commit([
      whileAdmin(db, ctx),
      db.delete(accountRoles).where(and(held, notInArray(accountRoles.roleId, ids))),
      ...rows,
      record(db, rolesGiven, { accountId, roles: names, ...actor }, isVerified(accountId)),
    ])
    .catch(refusals(adminRefusals))
  await syncRights(ctx, { accountId })
  return readAccess(ctx, { accountId })
}

export async function setAttributes(ctx: UserCtx, input: Of<typeof AttributesChange>): Promise<AccountAccess> {
  const { accountId, attributes } = input
  requireOther(ctx, accountId)
  const names = attributes.map(({ name }) => name)
  if (new Set(names).size < names.length) throw invalid('attributes', 'contains a name twice')
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  const rows = attributes.map(({ name, value }) =>
    db
      .insert(accountAttributes)
      .select(rowIf(accountAttributes, { accountId, name, value }, isVerified(accountId)))
      .onConflictDoNothing(),
  )
  await db
    .commit([
      whileAdmin(db, ctx),
      db.delete(accountAttributes).where(eq(accountAttributes.accountId, accountId)),
      ...rows,
      record(db, attributesGiven, { accountId, attributes: names, ...actor }, isVerified(accountId)),
    ])
    .catch(refusals(adminRefusals))
  await syncRights(ctx, { accountId })
  return readAccess(ctx, { accountId })
}
