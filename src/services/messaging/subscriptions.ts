import { on } from '../../platform/events/events.ts'
import { accountBlocked, accountUnblocked } from '../accounts/events.ts'
import { syncBlock } from './statements.ts'

export const messagingSubscriptions = [
  on(accountBlocked, 'end-conversation', syncBlock),
  on(accountUnblocked, 'allow-conversation', syncBlock),
]
