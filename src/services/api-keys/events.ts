import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

export const apiKeyCreated = defineEvent('api-keys.created', Act.extend({ apiKeyId: Id }))
export const apiKeyDeleted = defineEvent('api-keys.deleted', Act.extend({ apiKeyId: Id }))
