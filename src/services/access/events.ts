import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent, defineStep } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

const Grant = Act.extend({ granted: z.string(), thing: z.string() })
/** A role concerns no account. */
const OfRole = Act.extend({ accountId: Id.nullable(), role: z.string() })

export const roleDefined = defineEvent('access.role-defined', OfRole.extend({ permissions: z.array(z.string()) }))
export const roleDeleted = defineEvent('access.role-deleted', OfRole.extend({ roleId: Id }))
export const rolesGiven = defineEvent('access.roles-given', Act.extend({ roles: z.array(z.string()) }))
/** Only the names of attributes, because the audit log keeps nothing personal. */
export const attributesGiven = defineEvent('access.attributes-given', Act.extend({ attributes: z.array(z.string()) }))
const Until = z.object({ until: z.iso.datetime().nullable().default(null) })
export const grantGiven = defineEvent('access.grant-given', Grant.extend(Until.shape))
export const grantRevoked = defineEvent('access.grant-revoked', Grant)
export const holdersToSync = defineStep('access.holders-to-sync', z.object({ roleId: Id, after: Id }))
