import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { DeliveryState, WebhookEvent, WebhookMessageType, WebhookState } from './kinds.ts'
import { FORMER_SECRET_HOURS } from './policy.ts'

export const Webhook = z
  .object({
    id: Id,
    url: z.string(),
    description: z.string(),
    events: z.array(WebhookEvent),
    state: WebhookState,
    createdAt: z.iso.datetime(),
    formerSecretUntil: z.iso
      .datetime()
      .nullable()
      .openapi({ description: `Until when messages have the signature of the former secret too` }),
  })
  .openapi('Webhook', {
    example: {
      id: '1970324936974593',
      url: 'https://hooks.example.org/social',
      description: 'Counts my likes',
      events: ['post.liked', 'account.followed'],
      state: 'active',
      formerSecretUntil: null,
    },
  })
export type Webhook = z.infer<typeof Webhook>
export const Webhooks = z.object({ items: z.array(Webhook) }).openapi('Webhooks')

export const WebhookWithSecret = Webhook.extend({
  secret: z.string().openapi({
    description: `Returned only once. Verifies the messages. A former one signs too for ${FORMER_SECRET_HOURS} hours`,
  }),
}).openapi('WebhookWithSecret', {
  example: { secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDr3P5sXvHkyM=', formerSecretUntil: null },
})
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>

export const DeliveryId = z
  .string()
  .max(33)
  .regex(/^[1-9]\d{0,15}\.[1-9]\d{0,15}$/, 'must be the id of a delivery')
  .openapi({ example: '1970324936974593.1970324937974593' })

const fields = {
  id: DeliveryId,
  webhookId: Id,
  type: WebhookMessageType,
  state: DeliveryState,
  attempts: z.int().openapi({ description: 'Since it was first sent, or last replayed' }),
  nextAttemptAt: z.iso.datetime().nullable(),
  lastStatus: z.int().nullable().openapi({ description: 'The HTTP status of the last answer' }),
  createdAt: z.iso.datetime().openapi({ description: 'When the event happened' }),
}
export const WebhookDelivery = z.object(fields).openapi('WebhookDelivery', {
  example: { type: 'post.liked', state: 'waiting', attempts: 2, lastStatus: 503 },
})
export type WebhookDelivery = z.infer<typeof WebhookDelivery>
export const WebhookDeliveryPage = pageOf('WebhookDelivery', WebhookDelivery)

const DeliveryAttempt = z
  .object({
    number: z.int(),
    startedAt: z.iso.datetime(),
    durationMs: z.int(),
    status: z.int().nullable(),
    error: z.string().nullable().openapi({ description: 'Why there was no answer' }),
  })
  .openapi('WebhookAttempt', { example: { number: 1, durationMs: 84, status: 503, error: null } })

export const WebhookDeliveryDetails = z
  .object({
    ...fields,
    payload: z.string().nullable().openapi({ description: 'The body; null before the first attempt, or if dropped' }),
    log: z.array(DeliveryAttempt).openapi({ description: 'The last 50 attempts, oldest first' }),
    answer: z.string().nullable().openapi({ description: 'The first 64 KiB of the last answer' }),
  })
  .openapi('WebhookDeliveryDetails', {
    example: { type: 'post.liked', state: 'delivered', attempts: 1, nextAttemptAt: null, lastStatus: 204, answer: '' },
  })
export type WebhookDeliveryDetails = z.infer<typeof WebhookDeliveryDetails>

export const ReplayCount = z.object({ count: z.int() }).openapi('ReplayCount', { example: { count: 12 } })
