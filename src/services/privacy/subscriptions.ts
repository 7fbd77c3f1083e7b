import { on } from '../../platform/events/events.ts'
import { deletionCancelled, deletionRequested } from './events.ts'
import { syncHidden } from './statements.ts'

export const privacySubscriptions = [
  on(deletionRequested, 'hide-account', syncHidden),
  on(deletionCancelled, 'show-account', syncHidden),
]
