import { z } from '@hono/zod-openapi'
import { and, eq, gt, lt, notExists, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { changed, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { defineTask, enqueue } from '../../platform/events/tasks.ts'
import { openEmail } from './email.ts'
import { mailQueued } from './events.ts'
import type { MailKind } from './mail-templates.ts'
import { handles, mails, users } from './tables.ts'

const OVERDUE_MS = 2 * 3_600_000
const PAGE = 500
const MAX_PAGES = 40

export const mailTask = defineTask('DELIVERIES', 'mail.account', z.object({ mailId: z.string() }))

/** Mails that anyone may request by a name. The account is looked up only on delivery. */
export type RequestKind = 'reset-requested' | 'verification-requested'

/** `to` is a sealed address; by default, that of the account. A request has no account yet: `detail` names the person. */
type Mail =
  | { id?: string; accountId: Id; kind: MailKind; to?: string; detail?: string }
  | { id?: undefined; accountId: null; kind: RequestKind; to?: undefined; detail: string }

/** Stores a mail and announces it, for the batch of the change that it reports. With `when`, only if that holds. */
export function queueMail(db: Database, { id = crypto.randomUUID(), accountId, kind, to, detail }: Mail, when?: SQL) {
  const row = { id, accountId, kind, sealedTo: to ?? null, detail: detail ?? null, createdAt: db.now() }
  const insert = when ? db.insert(mails).select(rowIf(mails, row, when)) : db.insert(mails).values(row)
  return [insert, record(db, mailQueued, { mailId: id }, changed)] as const
}

/** For a mail with an id of its own, which a repeated event must not queue twice. */
export function notQueued(id: string): SQL {
  return notExists(query.select(one).from(mails).where(eq(mails.id, id)))
}

/** The row is deleted once the email service has accepted the mail, so a crash in between sends it twice. */
export async function sendMail(ctx: SystemCtx, mailId: string): Promise<void> {
  const db = ctx.db.directory
  const [mail] = await db
    .select({
      accountId: users.id,
      handle: handles.handle,
      address: users.sealedAddress,
      to: mails.sealedTo,
      kind: mails.kind,
      detail: mails.detail,
    })
    .from(mails)
    .innerJoin(users, eq(users.id, mails.accountId))
    .innerJoin(handles, eq(handles.accountId, users.id))
    .where(eq(mails.id, mailId))
  if (mail) {
    const { sendTemplate } = await import('./mail-templates.ts')
    const to = await openEmail(ctx, mail.accountId, mail.to ?? mail.address)
    if (to !== null) await sendTemplate(ctx, to, mail)
  }
  await db.delete(mails).where(eq(mails.id, mailId))
}

/** Enqueues overdue mails again, and deletes those older than three days. */
export async function resendOverdue(ctx: SystemCtx): Promise<void> {
  const now = ctx.now()
  const db = ctx.db.directory
  const isDue = and(lt(mails.createdAt, now - OVERDUE_MS), gt(mails.createdAt, now - 3 * DAY_MS))
  let last = ''
  for (let page = 0; page < MAX_PAGES; page++) {
    const isNext = and(isDue, gt(mails.id, last))
    const due = await db.select({ mailId: mails.id }).from(mails).where(isNext).orderBy(mails.id).limit(PAGE)
    await enqueue(ctx, mailTask, due)
    last = due.at(-1)?.mailId ?? last
    if (due.length < PAGE) break
  }
  await db.delete(mails).where(lt(mails.createdAt, now - 3 * DAY_MS))
}
