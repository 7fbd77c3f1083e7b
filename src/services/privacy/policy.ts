import { defineScope } from '../../platform/security/scopes.ts'

export const exportData = defineScope('privacy', 'Export all of your data')
