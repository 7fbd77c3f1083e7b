import { defineFailure } from '../../platform/failures.ts'
import { MAX_WEBHOOKS } from './policy.ts'

export const tooManyWebhooks = defineFailure('too_many_webhooks', 409, `You have ${MAX_WEBHOOKS} webhooks`, {
  meaning: 'The account has as many webhooks as it may have.',
  action: 'Delete one with `deleteWebhook`, or add events to one of them with `editWebhook`.',
})
