import { defineLimit } from '../../platform/security/rate-limit.ts'

export const apiKeyLimit = defineLimit('apiKey', { quota: 40, window: 86_400 })
