import { defineLimit } from '../../platform/security/rate-limit.ts'

/** New conversations with accounts that do not follow the viewer. */
export const strangerLimit = defineLimit('strangers', { quota: 50, window: 86_400 })
