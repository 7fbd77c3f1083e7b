import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, jsonList, type PersonalData, pagesOf } from '../../platform/personal-data.ts'
import { auditEntries, auditHeads } from './tables.ts'
import { presentedTo } from './views.ts'

/** Erasing an account destroys its key: its entries stay, without the clients. */
export const auditData: PersonalData = {
  inventory: {
    ...classify(auditEntries, {
      id: 'technical',
      chain: 'technical',
      seq: 'technical',
      at: 'exported',
      action: 'exported',
      accountId: 'owner',
      actorId: 'others',
      client: 'exported',
      detail: 'exported',
      eventId: 'technical',
      previous: 'technical',
      hash: 'technical',
    }),
    ...classify(auditHeads, { chain: 'technical', seq: 'technical', hash: 'technical' }),
  },
  exported,
  erase: async () => true,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  yield jsonList('audit.json', own(ctx, accountId))
}

async function* own(ctx: SystemCtx, accountId: Id) {
  const read = (after: Id, limit: number) =>
    ctx.db.audit
      .select()
      .from(auditEntries)
      .where(and(eq(auditEntries.accountId, accountId), gt(auditEntries.id, after)))
      .orderBy(asc(auditEntries.id))
      .limit(limit)
  for await (const rows of pagesOf(read)) {
    // The client of an unknown actor may be somebody else's.
    const shown = rows.map((row) => (row.actorId === accountId ? row : { ...row, client: null }))
    const entries = await presentedTo(ctx, accountId, shown)
    yield entries.map(({ at, action, detail, device, place, address }) => ({
      at,
      action,
      detail,
      device,
      place,
      address,
    }))
  }
}
