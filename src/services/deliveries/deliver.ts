import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import type { Notification } from '../notifications/views.ts'
import { sendMails } from './mails.ts'
import { readSettings } from './preferences.ts'
import { sendPushes } from './pushes.ts'
import { quietUntil } from './quiet-hours.ts'
import { type Claimed, claim, postpone, retryLater, settle } from './rows.ts'
import type { deliverTask } from './statements.ts'
import { readWanted } from './wanted.ts'

/** Delivers what is due and still wanted. A repeated or concurrent call finds nothing to claim. */
export async function deliver(ctx: SystemCtx, task: z.infer<typeof deliverTask.data>): Promise<void> {
  const claimed = await claim(ctx, task)
  const ids = [...claimed.attempts.keys()]
  if (ids.length === 0) return
  try {
    await deliverClaimed(ctx, claimed, ids)
  } catch (error) {
    ctx.log.warn('a delivery failed', { channel: task.channel, error })
    await retryLater(ctx, claimed, ids)
  }
}

async function deliverClaimed(ctx: SystemCtx, claimed: Claimed, ids: Notification['id'][]): Promise<void> {
  const settings = await readSettings(ctx, claimed.accountId)
  const wanted = await readWanted(ctx, claimed, settings)
  const wantedIds = new Set(wanted.map(({ id }) => id))
  await settle(
    ctx,
    claimed,
    ids.filter((id) => !wantedIds.has(id)),
    'dropped',
  )
  if (wanted.length === 0) return
  const quiet = quietUntil(ctx.now(), settings.quietHours)
  if (quiet !== null) return postpone(ctx, claimed, [...wantedIds], quiet)
  const send = claimed.channel === 'mail' ? sendMails : sendPushes
  await send(ctx, claimed, wanted, settings)
}
