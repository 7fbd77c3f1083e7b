import { z } from '@hono/zod-openapi'
import { and, eq, gt, lt, lte, or } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { changed, either, increment } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { open, seal } from '../../platform/security/crypto.ts'
import { trySpend } from '../../platform/security/rate-limit.ts'
import { passwordResetRequested } from './events.ts'
import { alreadyVerifiedLimit } from './limits.ts'
import { queueMail, type RequestKind, sendMail } from './mails.ts'
import { isNamed, nameOf } from './names.ts'
import { mailRegistration } from './registration-mail.ts'
import { handles, mailLimits, mails, users } from './tables.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const MAILS_PER_HOUR = 5
const CONTEXT = 'client of a request'

const text = z.string().nullable().default(null)
const Client = z.object({ address: text, userAgent: text, place: text })
const Detail = z.object({ name: z.string(), client: z.string() })
type Request = { id: string; detail: string | null }

/** Stores the request without reading whether the account exists, so that the work is the same for every name. */
export async function requestMail(ctx: Ctx, kind: RequestKind, identifier: string): Promise<void> {
  const client = await seal(ctx.config, JSON.stringify(ctx.client ?? {}), CONTEXT)
  const detail = JSON.stringify({ name: await nameOf(ctx, identifier), client })
  const db = ctx.db.directory
  await db.commit(queueMail(db, { accountId: null, kind, detail }))
}

export async function deliverMail(ctx: SystemCtx, { mailId }: { mailId: string }): Promise<void> {
  const [mail] = await ctx.db.directory.select().from(mails).where(eq(mails.id, mailId))
  if (mail?.kind === 'reset-requested') await answerReset(ctx, mail)
  else if (mail?.kind === 'verification-requested') await answerVerification(ctx, mail)
  else if (mail) await sendMail(ctx, mailId)
}

async function answerReset(ctx: SystemCtx, request: Request): Promise<void> {
  const { person, client } = await findRequested(ctx, request)
  const db = ctx.db.directory
  if (!person?.isVerified) {
    await forget(db, request)
    return
  }
  const accountId = person.id
  const sealed = await sealClient({ ...ctx, viewer: null, client }, accountId)
  await db.commit([
    countMail(db, accountId),
    ...queueMail(db, { accountId, kind: 'password-reset' }, changed),
    record(db, passwordResetRequested, { accountId, client: sealed }, changed),
    forget(db, request),
  ])
}

async function answerVerification(ctx: SystemCtx, request: Request): Promise<void> {
  const { person } = await findRequested(ctx, request)
  const db = ctx.db.directory
  // Each mail extends the reservation, for a day at most: personal data of registrations must disappear.
  const isOver = person && !person.isVerified && person.createdAt.getTime() <= ctx.now() - DAY_MS
  if (!person || isOver || person.approval === 'refused') {
    await forget(db, request)
    return
  }
  const accountId = person.id
  if (person.isVerified) {
    // Not counted with the mails that reset the password, which these requests must not use up.
    const mayMail = await trySpend(ctx, alreadyVerifiedLimit, accountId)
    const mail = mayMail ? queueMail(db, { accountId, kind: 'already-verified' }) : []
    await db.commit([forget(db, request), ...mail])
    return
  }
  const isWaiting = and(eq(handles.accountId, accountId), gt(handles.reservedUntil, ctx.now()), changed)
  await db.batch([countMail(db, accountId), db.update(handles).set({ mailedAt: null }).where(isWaiting)])
  // If it fails, `mailedAt` stays null, so that the next attempt sends the mail although the limit refuses another one.
  await mailRegistration(ctx, { accountId })
  await forget(db, request)
}

async function findRequested(ctx: SystemCtx, { detail }: Request) {
  const { name, client } = Detail.parse(JSON.parse(detail ?? ''))
  const [person] = await ctx.db.directory
    .select({ id: users.id, isVerified: users.emailVerified, approval: users.approval, createdAt: users.createdAt })
    .from(users)
    .where(isNamed(ctx, name))
  return { person, client: Client.parse(JSON.parse(await open(ctx.config, client, CONTEXT))) }
}

function forget(db: Database, { id }: Request) {
  return db.delete(mails).where(eq(mails.id, id))
}

/** Changes a row if another mail may be sent to the account: one a minute, and five an hour. */
function countMail(db: Database, accountId: Id) {
  const now = db.now()
  const isNewHour = lte(mailLimits.hourBegan, now - HOUR_MS)
  return db
    .insert(mailLimits)
    .values({ accountId, mailedAt: now, hourBegan: now, mails: 1 })
    .onConflictDoUpdate({
      target: mailLimits.accountId,
      set: {
        mailedAt: now,
        hourBegan: either(isNewHour, now, mailLimits.hourBegan),
        mails: either(isNewHour, 1, increment(mailLimits.mails)),
      },
      setWhere: and(lte(mailLimits.mailedAt, now - MINUTE_MS), or(isNewHour, lt(mailLimits.mails, MAILS_PER_HOUR))),
    })
}
