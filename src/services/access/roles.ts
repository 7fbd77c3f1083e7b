import { z } from '@hono/zod-openapi'
import { and, asc, eq, exists, gt, ne, not, type SQL } from 'drizzle-orm'
import { type Role as BuiltIn, roles as builtIn, type SystemCtx, type UserCtx } from '../../platform/context.ts'
import { any, changed, failUnless, one, query, refusals } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { type Id, shardOf, toId } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently, withFreshId } from '../../platform/data/shards.ts'
import { continueWith, record } from '../../platform/events/events.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { declaredActions, permissionsOf } from '../../platform/security/actions.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { adminRefusals, whileAdmin } from '../identity/statements.ts'
import { holdersToSync, roleDefined, roleDeleted } from './events.ts'
import { syncRights } from './queries.ts'
import { accountRoles, roles } from './tables.ts'
import { type AccessRoles, ActionName, MAX_CUSTOM_ROLES, RoleName } from './views.ts'

const STEP = 100

export const RolePath = z.object({ roleName: RoleName })
export const RoleDefinition = z
  .strictObject({ description: z.string().max(200).default(''), permissions: z.array(ActionName).max(100) })
  .openapi('RoleDefinition')

/** A row of every installation, which accounts get like a custom role. */
const ANALYST = 'analyst'
const descriptions: Record<BuiltIn, string> = {
  user: 'Every account',
  moderator: 'Suspends accounts and approves registrations',
  admin: 'May do everything',
}

export async function listRoles(ctx: UserCtx): Promise<z.infer<typeof AccessRoles>> {
  const { name, description, permissions } = roles
  const custom = await ctx.db.directory.select({ name, description, permissions }).from(roles).orderBy(asc(name))
  return {
    items: [
      ...builtIn.map((role) => ({
        name: role,
        description: descriptions[role],
        permissions: permissionsOf(role),
        isBuiltIn: true,
      })),
      ...custom.map((role) => ({ ...role, isBuiltIn: role.name === ANALYST })),
    ],
    actions: [...declaredActions()].map(([action, { allows }]) => ({ name: action, allows })),
  }
}

type Definition = z.infer<typeof RolePath> & z.infer<typeof RoleDefinition>

/** Makes a role, or replaces its permissions for all accounts that have it. */
export async function putRole(ctx: UserCtx, { roleName, ...input }: Definition): Promise<void> {
  requireCustom(roleName)
  const role = { description: input.description, permissions: [...new Set(input.permissions)] }
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  const known = exists(query.select(one).from(roles).where(eq(roles.name, roleName)))
  const last = query
    .select(one)
    .from(roles)
    .where(ne(roles.name, ANALYST))
    .limit(1)
    .offset(MAX_CUSTOM_ROLES - 1)
  await withFreshId(ctx, shardOf(ctx.viewer.id), roles.id, (id) =>
    db.commit([
      whileAdmin(db, ctx),
      failUnless(db, not(isOwnRole(ctx, roleName)), 'own_role'),
      failUnless(db, any(known, not(exists(last))), 'too_many'),
      db
        .insert(roles)
        .values({ id, name: roleName, ...role })
        .onConflictDoUpdate({ target: roles.name, set: role }),
      record(db, roleDefined, { accountId: null, role: roleName, permissions: role.permissions, ...actor }),
    ]),
  ).catch(refusals({ ...adminRefusals, own_role: ownRoleRefused, too_many: tooManyRoles }))
  await syncRole(ctx, { role: roleName })
}

/** Deletes a role; who has it loses it. Deleting a role that does not exist changes nothing. */
export async function deleteRole(ctx: UserCtx, { roleName }: z.infer<typeof RolePath>): Promise<void> {
  requireCustom(roleName)
  const roleId = await roleIdOf(ctx, roleName)
  if (!roleId) return
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  await db
    .commit([
      whileAdmin(db, ctx),
      db.delete(roles).where(eq(roles.id, roleId)),
      record(db, roleDeleted, { accountId: null, roleId, role: roleName, ...actor }, changed),
    ])
    .catch(refusals(adminRefusals))
  await syncHolders(ctx, { roleId, after: toId(0) })
}

/** For the event: gives the accounts of a role its current permissions. */
export async function syncRole(ctx: SystemCtx, { role }: { role: string }): Promise<void> {
  const roleId = await roleIdOf(ctx, role)
  if (roleId) await startSyncing(ctx, { roleId })
}

export async function startSyncing(ctx: SystemCtx, { roleId }: { roleId: Id }): Promise<void> {
  const last = await syncHolders(ctx, { roleId, after: toId(0) })
  const db = ctx.db.directory
  if (last) await db.commit([record(db, holdersToSync, { roleId, after: last })])
}

type Step = { roleId: Id; after: Id }

export async function continueSyncing(ctx: SystemCtx, step: Step, eventId: Id): Promise<void> {
  const last = await syncHolders(ctx, step)
  if (last) await continueWith(ctx.db.directory, eventId, holdersToSync, { ...step, after: last })
}

/** Syncs the guards of the next accounts that have the role. Returns the last of them if there may be more. */
async function syncHolders(ctx: SystemCtx, { roleId, after }: Step): Promise<Id | undefined> {
  const { directory } = atPrimary(ctx)
  const { accountId } = accountRoles
  const rows = await directory
    .select({ accountId })
    .from(accountRoles)
    .where(and(eq(accountRoles.roleId, roleId), gt(accountId, after)))
    .orderBy(asc(accountId))
    .limit(STEP)
  await mapConcurrently(rows, (row) => syncRights(ctx, row))
  const isDeleted = not(exists(query.select(one).from(roles).where(eq(roles.id, roleId))))
  const done = rows.map((row) => row.accountId)
  if (rows.length > 0)
    await directory.delete(accountRoles).where(and(eq(accountRoles.roleId, roleId), idIn(accountId, done), isDeleted))
  return rows[STEP - 1]?.accountId
}

async function roleIdOf(ctx: SystemCtx, name: string): Promise<Id | undefined> {
  const [role] = await atPrimary(ctx).directory.select({ id: roles.id }).from(roles).where(eq(roles.name, name))
  return role?.id
}

function requireCustom(name: string): void {
  if ([...builtIn, ANALYST].includes(name)) throw invalid('roleName', 'is a built-in role, which never changes')
}

/** Nobody may extend a role of their own. */
function isOwnRole(ctx: UserCtx, name: string): SQL {
  const held = query
    .select(one)
    .from(accountRoles)
    .innerJoin(roles, eq(roles.id, accountRoles.roleId))
    .where(and(eq(accountRoles.accountId, ctx.viewer.id), eq(roles.name, name)))
  return exists(held)
}

const ownRoleRefused = () => invalid('roleName', 'is a role that you have; another administrator can change it')
const tooManyRoles = () => new Failure('conflict', `There are at most ${MAX_CUSTOM_ROLES} roles`)
