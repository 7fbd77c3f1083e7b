import { defineScope } from '../../platform/security/scopes.ts'

export const readNotifications = defineScope('notifications:read', 'Read your notifications')
export const writeNotifications = defineScope('notifications:write', 'Mark your notifications as read')
