import { defineFailure } from '../../platform/failures.ts'
import { MAX_API_KEYS } from './policy.ts'

export const tooManyApiKeys = defineFailure('too_many_api_keys', 409, `You have ${MAX_API_KEYS} API keys`, {
  meaning: 'The account has as many API keys as it may have.',
  action: 'Delete one with `deleteApiKey`, or wait until one expires.',
})
