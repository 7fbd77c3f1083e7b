import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, type PersonalData } from '../../platform/personal-data.ts'
import { readHolder } from './queries.ts'
import { accountAttributes, accountRoles, grants, roles } from './tables.ts'

export const accessData: PersonalData = {
  inventory: {
    ...classify(roles, { id: 'technical', name: 'technical', description: 'technical', permissions: 'technical' }),
    ...classify(accountRoles, { accountId: 'owner', roleId: 'technical' }),
    ...classify(grants, {
      id: 'technical',
      accountId: 'owner',
      action: 'exported',
      thing: 'exported',
      until: 'exported',
    }),
    ...classify(accountAttributes, { accountId: 'owner', name: 'exported', value: 'exported' }),
  },
  exported,
  erase,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const { rights } = await readHolder(ctx, accountId)
  yield jsonFile('access.json', {
    roles: rights.roles.map(({ name }) => name),
    attributes: rights.attributes,
    grants: rights.grants.map(({ action, thing, until }) => ({ action, thing, until: iso(until) })),
  })
}

async function erase(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.directory
  await db.batch([
    db.delete(accountRoles).where(eq(accountRoles.accountId, accountId)),
    db.delete(grants).where(eq(grants.accountId, accountId)),
    db.delete(accountAttributes).where(eq(accountAttributes.accountId, accountId)),
  ])
  return true
}
