import { defineAction } from '../../platform/security/actions.ts'
import { defineScope } from '../../platform/security/scopes.ts'

export const readAudit = defineScope('audit:read', 'Read the log of your logins and of other events of your account')

export const readAllAudit = defineAction('audit:read-all', { allows: 'Read the audit log of everyone', role: 'admin' })
