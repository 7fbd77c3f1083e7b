import { defineLimit } from '../../platform/security/rate-limit.ts'

/** New conversations with accounts that do not follow the viewer. */
export const strangerLimit = defineLimit('strangers', { quota: 50, window: 86_400 })
/** New groups of an account. */
export const groupLimit = defineLimit('groups', { quota: 20, window: 86_400 })
/** Looks at links of groups, which may be guesses. */
export const groupLinkLimit = defineLimit('groupLinks', { quota: 60, window: 3_600 })
