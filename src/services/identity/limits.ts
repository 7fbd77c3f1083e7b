import { defineLimit } from '../../platform/security/rate-limit.ts'

export const registerLimit = defineLimit('register', { quota: 20, window: 3_600 })
export const loginLimit = defineLimit('login', { quota: 10, window: 300 })
/** Larger than `loginLimit` allows one address, so that wrong guesses from one address do not lock out the owner. */
export const loginPerNameLimit = defineLimit('loginPerName', { quota: 300, window: 3_600 })
export const verifyLimit = defineLimit('verify', { quota: 10, window: 3_600 })
export const refreshLimit = defineLimit('refresh', { quota: 60, window: 60 })
