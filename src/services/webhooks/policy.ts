import { defineScope } from '../../platform/security/scopes.ts'

export const manageWebhooks = defineScope('webhooks', 'Manage your webhooks, and read their deliveries')

export const MAX_WEBHOOKS = 10
/** How long former secrets still sign, besides the new one. */
export const FORMER_SECRET_HOURS = 24
export const MAX_FORMER_SECRETS = 3
