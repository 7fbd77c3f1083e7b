import { defineFailure } from '../../platform/failures.ts'

export const MAX_PUSH_SUBSCRIPTIONS = 20

export const tooManyPushSubscriptions = defineFailure(
  'too_many_push_subscriptions',
  409,
  `You have ${MAX_PUSH_SUBSCRIPTIONS} push subscriptions`,
  {
    meaning: 'As many devices get pushes of the account as may get them.',
    action: 'Delete one with `deletePushSubscription`.',
  },
)
