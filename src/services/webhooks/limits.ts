import { defineLimit } from '../../platform/security/rate-limit.ts'

export const webhookLimit = defineLimit('webhook', { quota: 60, window: 3_600 })
/** Test events and single replays of an account. */
export const webhookSendLimit = defineLimit('webhookSend', { quota: 120, window: 3_600 })
/** Replays of spans of time, each of which sends up to a thousand messages again. */
export const webhookReplayLimit = defineLimit('webhookReplay', { quota: 10, window: 3_600 })
