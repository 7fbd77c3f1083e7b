import { asc, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, type PersonalData } from '../../platform/personal-data.ts'
import { deleteObjects, exportsOf } from './export-archive.ts'
import { dataExports } from './export-tables.ts'
import { deletions, erasedAccounts } from './tables.ts'

export const privacyData: PersonalData = {
  inventory: {
    // Only an account that is being deleted has this row, and such an account cannot request an export.
    ...classify(deletions, {
      accountId: 'owner',
      requestedAt: 'technical',
      eraseAt: 'technical',
      startedAt: 'technical',
      progressedAt: 'technical',
    }),
    'R2 KEYS erased/<account id>': { object: 'technical' },
    ...classify(erasedAccounts, { accountId: 'technical', erasedAt: 'technical' }),
    ...classify(dataExports, {
      id: 'exported',
      accountId: 'owner',
      status: 'technical',
      createdAt: 'exported',
      readyAt: 'technical',
      expiresAt: 'technical',
      bytes: 'technical',
    }),
    'R2 EXPORTS exports/<account id>/<export id>/': { objects: 'technical' },
    'workflow EXPORTER': { params: 'technical' },
  },
  exported,
  erase: eraseExports,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const rows = await ctx.db.directory
    .select({ id: dataExports.id, createdAt: dataExports.createdAt })
    .from(dataExports)
    .where(eq(dataExports.accountId, accountId))
    .orderBy(asc(dataExports.createdAt))
  yield jsonFile(
    'exports.json',
    rows.map(({ id, createdAt }) => ({ id, requestedAt: iso(createdAt) })),
  )
}

/** Keeps the row in `deletions`, which the erasure needs until `finishErasure` deletes it. */
async function eraseExports(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  await deleteObjects(ctx, exportsOf(accountId))
  await ctx.db.directory.delete(dataExports).where(eq(dataExports.accountId, accountId))
  return true
}
