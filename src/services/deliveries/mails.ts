import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { sendEmail } from '../../platform/mail.ts'
import { readVerifiedAddress } from '../identity/queries.ts'
import type { Message } from './items.ts'
import { notificationMail } from './mail-text.ts'
import { type Claimed, postpone, retryLater, returnTurn, settle, settleSent, takeTurn } from './rows.ts'
import { suppress } from './suppressions.ts'
import { suppressedAddresses } from './tables.ts'

const INTERVAL_MS = 15 * 60_000

/** Sends one mail about all that is claimed, now or when the next mail is allowed. */
export async function sendMail(ctx: SystemCtx, claimed: Claimed, message: Message): Promise<void> {
  const { accountId } = claimed
  const db = ctx.db.shardOf(accountId)
  const own = eq(suppressedAddresses.accountId, accountId)
  const [[suppressed], mailbox] = await Promise.all([
    db.select({ address: suppressedAddresses.address }).from(suppressedAddresses).where(own),
    readVerifiedAddress(ctx, accountId),
  ])
  if (mailbox === null || suppressed?.address === mailbox.index) return settle(ctx, claimed, 'dropped')
  const mail = await notificationMail(ctx, accountId, message)
  const free = await takeTurn(ctx, claimed, INTERVAL_MS)
  if (free !== null) return postpone(ctx, claimed, free)
  const sent = await sendEmail(ctx, { to: mailbox.address, ...mail }).catch((error: unknown) => {
    ctx.log.warn('a mail about notifications will be retried', { error })
    return null
  })
  if (sent === 'accepted') return settleSent(ctx, claimed)
  await returnTurn(ctx, claimed)
  if (sent === null) return retryLater(ctx, claimed)
  if (sent === 'suppressed') await suppress(ctx, accountId, mailbox.index)
  await settle(ctx, claimed, 'failed')
}
