import { defineScope } from '../../platform/security/scopes.ts'

export const readAudit = defineScope('audit:read', 'Read the log of your logins and of other events of your account')
