import { z } from '@hono/zod-openapi'
import { and, eq, isNull } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id, isoTimeOf } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, pageOf, seek } from '../../platform/data/page.ts'
import { record } from '../../platform/events/events.ts'
import { notFound } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { openAccount } from '../accounts/statements.ts'
import { registrationApproved, registrationRejected } from './events.ts'
import { queueMail } from './mails.ts'
import { handles, users } from './tables.ts'

const WaitingRegistration = z
  .object({ id: Id, handle: z.string(), registeredAt: z.iso.datetime() })
  .openapi('WaitingRegistration', { example: { handle: 'grace' } })
type WaitingRegistration = z.infer<typeof WaitingRegistration>

export const WaitingRegistrationPage = pageOf('WaitingRegistration', WaitingRegistration)

const isWaiting = and(eq(users.approval, 'required'), eq(users.emailVerified, true))

export async function listRegistrations(ctx: UserCtx, query: PageQuery): Promise<Page<WaitingRegistration>> {
  const from = await seek(ctx, query, 'waiting registrations', users.id)
  const rows = await ctx.db.directory
    .select({ id: users.id, handle: handles.handle })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .where(and(isWaiting, from.where))
    .orderBy(from.order(users.id))
    .limit(from.limit)
  const viewOf = ({ id, handle }: (typeof rows)[number]) => ({
    id,
    handle,
    registeredAt: isoTimeOf(id),
  })
  return loadPage(ctx, from, rows, async (kept) => new Map(kept.map((row) => [row.id, viewOf(row)])))
}

export async function approveRegistration(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  await db.commit([
    db
      .update(users)
      .set({ approval: null, updatedAt: new Date(ctx.now()) })
      .where(and(eq(users.id, accountId), isWaiting)),
    record(db, registrationApproved, { accountId, ...actor }, changed),
    ...queueMail(db, { accountId, kind: 'registration-approved' }, changed),
  ])
  if (!(await openIfApproved(ctx, accountId))) throw notFound()
}

/** The address and the handle stay reserved for a day, because the mail about the rejection needs them. */
export async function rejectRegistration(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  await db.commit([
    db
      .update(users)
      .set({ approval: 'refused', emailVerified: false, updatedAt: new Date(ctx.now()) })
      .where(and(eq(users.id, accountId), isWaiting)),
    record(db, registrationRejected, { accountId, ...actor }, changed),
    ...queueMail(db, { accountId, kind: 'registration-rejected' }, changed),
    db
      .update(handles)
      .set({ reservedUntil: ctx.now() + DAY_MS })
      .where(and(eq(handles.accountId, accountId), changed)),
  ])
}

/** Opens a verified account that waits for no moderator. Returns whether there is one. */
export async function openIfApproved(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const [row] = await atPrimary(ctx)
    .directory.select({ handle: handles.handle })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .where(and(eq(users.id, accountId), eq(users.emailVerified, true), isNull(users.approval)))
  if (!row) return false
  const db = ctx.db.shardOf(accountId)
  await db.commit(openAccount(db, { id: accountId, handle: row.handle }))
  return true
}
