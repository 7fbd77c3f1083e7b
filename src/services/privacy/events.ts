import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

export const deletionRequested = defineEvent('privacy.deletion-requested', Act)
export const deletionCancelled = defineEvent('privacy.deletion-cancelled', Act)
export const accountErased = defineEvent('privacy.account-erased', Act)
