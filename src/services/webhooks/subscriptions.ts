import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on, onAny } from '../../platform/events/events.ts'
import { mailWebhookStopped } from '../identity/statements.ts'
import { clear, wake } from './endpoint.client.ts'
import { webhookChanged, webhookDeleted, webhookResumed, webhookStopped } from './events.ts'
import { handOver } from './handing-over.ts'
import { urlOf } from './queries.ts'

type Stopped = { accountId: Id; webhookId: Id; reason: 'failing' | 'gone' }

export const webhookSubscriptions = [
  onAny('hand-to-webhooks', handOver),
  on(webhookDeleted, 'clear', (ctx, { webhookId }) => clear(ctx, webhookId)),
  on(webhookChanged, 'wake', (ctx, { webhookId }) => wake(ctx, webhookId)),
  on(webhookResumed, 'wake', (ctx, { webhookId }) => wake(ctx, webhookId)),
  on(webhookStopped, 'mail-owner', mailOwner),
]

async function mailOwner(ctx: SystemCtx, { accountId, webhookId, reason }: Stopped, eventId: Id): Promise<void> {
  const db = ctx.db.directory
  const url = await urlOf(ctx, accountId, webhookId)
  if (url !== null) await db.commit(mailWebhookStopped(db, { eventId, accountId, host: new URL(url).host, reason }))
}
