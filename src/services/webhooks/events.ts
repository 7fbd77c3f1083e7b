import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

const WebhookAct = Act.extend({ webhookId: Id })

export const webhookCreated = defineEvent('webhooks.created', WebhookAct)
export const webhookChanged = defineEvent('webhooks.changed', WebhookAct)
export const webhookDeleted = defineEvent('webhooks.deleted', WebhookAct)
export const webhookSecretRenewed = defineEvent('webhooks.secret-renewed', WebhookAct)
export const webhookPaused = defineEvent('webhooks.paused', WebhookAct)
export const webhookResumed = defineEvent('webhooks.resumed', WebhookAct)
/** Nothing is sent any more, because the endpoint answered 410 (`gone`) or only failed for days (`failing`). */
export const webhookStopped = defineEvent(
  'webhooks.stopped',
  WebhookAct.extend({ reason: z.enum(['failing', 'gone']) }),
)
