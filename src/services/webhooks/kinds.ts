import { openEnum } from '../../platform/http/open-enum.ts'
import { deliveryStates, messageTypes, states, webhookEvents } from './tables.ts'

export const WebhookEvent = openEnum('WebhookEvent', webhookEvents, 'What happened to the account')
export const WebhookState = openEnum(
  'WebhookState',
  states,
  '`paused` by its owner, `failing` and paused for it, or `gone` after the answer 410',
)
export const WebhookMessageType = openEnum('WebhookMessageType', messageTypes, 'The `type` of the message')
export const DeliveryState = openEnum(
  'WebhookDeliveryState',
  deliveryStates,
  '`failed` after ten attempts, `dropped` if its subject was withdrawn or hidden before',
)
