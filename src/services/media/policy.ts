import { defineScope } from '../../platform/security/scopes.ts'

export const writeMedia = defineScope('media:write', 'Upload and describe images')
