import { defineScope } from '../../platform/security/scopes.ts'

export const manageApps = defineScope('apps', 'Register apps, and allow or remove the apps of others')
