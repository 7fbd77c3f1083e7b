import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { idIn } from '../../platform/data/shards.ts'
import { sendMail } from './mails.ts'
import { readSettings } from './preferences.ts'
import { sendPush } from './pushes.ts'
import { quietUntil } from './quiet-hours.ts'
import { type Claimed, claim, postpone, retryLater, settle } from './rows.ts'
import type { deliverTask } from './statements.ts'
import { deliveries } from './tables.ts'
import { readWanted } from './wanted.ts'

/** Delivers what is due and still wanted, in one message. A repeated or concurrent call finds nothing to claim. */
export async function deliver(ctx: SystemCtx, whose: z.infer<typeof deliverTask.data>): Promise<void> {
  const claimed = await claim(ctx, whose)
  if (claimed === null) return
  try {
    await deliverClaimed(ctx, claimed)
  } catch (error) {
    ctx.log.warn('a delivery failed', { channel: whose.channel, error })
    await retryLater(ctx, claimed)
  }
}

async function deliverClaimed(ctx: SystemCtx, claimed: Claimed): Promise<void> {
  const settings = await readSettings(ctx, claimed.accountId)
  const wanted = await readWanted(ctx, claimed, settings)
  const names = new Set(wanted.map(({ id }) => id))
  const unwanted = claimed.newest.filter((id) => !names.has(id))
  if (unwanted.length > 0) await settle(ctx, claimed, 'dropped', idIn(deliveries.eventId, unwanted))
  const quiet = quietUntil(ctx.now(), settings.quietHours)
  if (quiet !== null) return postpone(ctx, claimed, quiet)
  if (wanted.length === 0) return postpone(ctx, claimed, ctx.now())
  const send = claimed.channel === 'mail' ? sendMail : sendPush
  await send(ctx, claimed, { wanted, hasMore: claimed.total > claimed.newest.length, settings })
}
