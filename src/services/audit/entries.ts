import { z } from '@hono/zod-openapi'
import { and, eq, type SQL } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { loadPage, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { record } from '../../platform/events/events.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { auditedEvents } from './audited-events.ts'
import { auditRead } from './events.ts'
import { type AuditRow, auditEntries } from './tables.ts'
import { type AuditEntry, presented, presentedTo } from './views.ts'

export const AuditQuery = PageQuery.extend({
  accountId: Id.optional(),
  actorId: Id.optional(),
  action: z.enum(auditedEvents.map(({ action }) => action)).optional(),
})
type AuditQuery = z.infer<typeof AuditQuery>

export async function listMyAudit(ctx: UserCtx, query: PageQuery): Promise<Page<AuditEntry>> {
  const { id } = ctx.viewer
  return pageOf(ctx, query, `audit of ${id}`, eq(auditEntries.accountId, id), (rows) => presentedTo(ctx, id, rows))
}

/** Reading the log is a staff action like any other, so its event is committed before the page is read. */
export async function listAudit(ctx: UserCtx, input: AuditQuery): Promise<Page<AuditEntry>> {
  const { accountId, actorId, action, ...query } = input
  const db = ctx.db.directory
  const filters = { accountId: accountId ?? null, readActorId: actorId, readAction: action }
  await db.commit([record(db, auditRead, { ...filters, ...(await actorOf(ctx)) })])
  const filter = and(
    accountId ? eq(auditEntries.accountId, accountId) : undefined,
    actorId ? eq(auditEntries.actorId, actorId) : undefined,
    action ? eq(auditEntries.action, action) : undefined,
  )
  const list = `audit ${accountId} ${actorId} ${action}`
  return pageOf(ctx, query, list, filter, (rows) => presented(ctx, rows))
}

async function pageOf(
  ctx: UserCtx,
  query: PageQuery,
  list: string,
  filter: SQL | undefined,
  present: (rows: AuditRow[]) => Promise<AuditEntry[]>,
): Promise<Page<AuditEntry>> {
  const from = await seek(ctx, query, list, auditEntries.id)
  const rows = await ctx.db.audit
    .select()
    .from(auditEntries)
    .where(and(filter, from.where))
    .orderBy(from.order(auditEntries.id))
    .limit(from.limit)
  return loadPage(ctx, from, rows, async (kept) => new Map((await present(kept)).map((entry) => [entry.id, entry])))
}
