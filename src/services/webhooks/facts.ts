import type { Id } from '../../platform/data/ids.ts'
import type { DeliveryState, MessageType } from './tables.ts'

export type Owner = { webhookId: Id; accountId: Id }
export type PageOf = { cursor: number | null; backward: boolean; limit: number; state?: DeliveryState | undefined }

/** A delivery as `WebhookEndpoint` stores it. Times are epoch ms. `body` is empty if the delivery was dropped. */
export type StoredDelivery = {
  id: number
  type: MessageType
  body: string
  state: DeliveryState
  attempts: number
  nextAt: number | null
  lastStatus: number | null
}
export type Attempt = {
  at: number
  durationMs: number
  status: number | null
  error: string | null
  answer: string | null
}
export type DeliveryFacts = StoredDelivery & {
  answer: string | null
  all: (Omit<Attempt, 'answer'> & { number: number })[]
}
