import { defineAction } from '../../platform/security/actions.ts'
import { defineScope } from '../../platform/security/scopes.ts'

export const manageApps = defineScope('apps', 'Register apps, and allow or remove the apps of others')

export const disableApps = defineAction('apps:disable', {
  allows: 'Disable apps of other developers, and enable them again',
  role: 'moderator',
})
