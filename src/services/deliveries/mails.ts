import { eq, lte } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { sendEmail } from '../../platform/mail.ts'
import { readVerifiedAddress } from '../identity/queries.ts'
import type { Notification } from '../notifications/views.ts'
import { notificationMail } from './mail-text.ts'
import type { Settings } from './preferences.ts'
import { type Claimed, postpone, retryLater, settle } from './rows.ts'
import { mailStates } from './tables.ts'

/** At most one mail about notifications in this time. */
const INTERVAL_MS = 15 * 60_000

/** Sends one mail about all of the notifications, now or when the next mail is allowed. */
export async function sendMails(
  ctx: SystemCtx,
  claimed: Claimed,
  wanted: readonly Notification[],
  settings: Settings,
): Promise<void> {
  const { accountId } = claimed
  const ids = wanted.map(({ id }) => id)
  const [state, mailbox] = await Promise.all([readState(ctx, accountId), readVerifiedAddress(ctx, accountId)])
  if (mailbox === null || state.suppressedAddress === mailbox.index) return settle(ctx, claimed, ids, 'dropped')
  if (!(await takeTurn(ctx, accountId))) {
    return postpone(ctx, claimed, ids, (await readState(ctx, accountId)).mailedAt + INTERVAL_MS)
  }
  try {
    const mail = await notificationMail(ctx, accountId, wanted, settings)
    if (await sendEmail(ctx, { to: mailbox.address, ...mail })) return await settle(ctx, claimed, ids, 'sent')
  } catch (error) {
    ctx.log.warn('a mail about notifications will be retried', { error })
    await update(ctx, accountId, { mailedAt: 0 })
    return retryLater(ctx, claimed, ids)
  }
  await update(ctx, accountId, { mailedAt: 0, suppressedAddress: mailbox.index })
  await settle(ctx, claimed, ids, 'failed')
}

async function readState(ctx: SystemCtx, accountId: Id) {
  const own = eq(mailStates.accountId, accountId)
  const [state] = await ctx.db.shardOf(accountId).select().from(mailStates).where(own)
  return state ?? { mailedAt: 0, suppressedAddress: null }
}

/** Of two calls at once, one succeeds. */
async function takeTurn(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const turn = { mailedAt: ctx.now() }
  const taken = await ctx.db
    .shardOf(accountId)
    .insert(mailStates)
    .values({ accountId, ...turn })
    .onConflictDoUpdate({
      target: mailStates.accountId,
      set: turn,
      setWhere: lte(mailStates.mailedAt, turn.mailedAt - INTERVAL_MS),
    })
    .returning({ mailedAt: mailStates.mailedAt })
  return taken.length > 0
}

async function update(ctx: SystemCtx, accountId: Id, set: Partial<typeof mailStates.$inferInsert>): Promise<void> {
  await ctx.db.shardOf(accountId).update(mailStates).set(set).where(eq(mailStates.accountId, accountId))
}
