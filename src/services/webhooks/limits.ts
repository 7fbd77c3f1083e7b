import { defineLimit } from '../../platform/security/rate-limit.ts'

export const webhookLimit = defineLimit('webhook', { quota: 60, window: 3_600 })
/** Test events and replays of an account. */
export const webhookSendLimit = defineLimit('webhookSend', { quota: 120, window: 3_600 })
