import { defineFailure } from '../../platform/failures.ts'
import { MAX_APPS } from './lifetimes.ts'

export const tooManyApps = defineFailure('too_many_apps', 409, `You have ${MAX_APPS} apps`, {
  meaning: 'The account has as many apps as it may have.',
  action: 'Delete an app with `deleteApp`.',
})
export const invalidAppRequest = defineFailure('invalid_app_request', 400, 'The request of the app is wrong', {
  meaning: 'The app sent an authorization request that is malformed, or asks for what it may not have.',
  action: 'Tell the developer of the app. `detail` says what is wrong.',
})
export const consentRequired = defineFailure('consent_required', 409, 'The person must allow this first', {
  meaning: 'The app was not allowed these permissions before, so they cannot be granted without asking.',
  action: 'Show what the app asks for, and send the decision to `allowApp`.',
})
