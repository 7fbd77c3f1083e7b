import { defineLimit } from '../../platform/security/rate-limit.ts'

export const appRegistrationLimit = defineLimit('appRegistration', { quota: 20, window: 3_600 })
/** Of the token, revocation, introspection and registration endpoints, per client address. */
export const tokenLimit = defineLimit('token', { quota: 120, window: 60 })
