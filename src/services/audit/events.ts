import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

/**
 * The data of an audited event, which may add fields. `accountId` is the account that it concerns, `actorId` who did it,
 * `client` their client, sealed by `sealClient` for `actorId`, or for `accountId` if the actor is unknown.
 */
export const Act = z.object({ accountId: Id, actorId: Id.nullish(), client: z.string().nullish() })
export type Act = Omit<z.infer<typeof Act>, 'accountId'> & { accountId: Id | null }

/** `readActorId` and `readAction` are the filters of the reader, like `accountId`. */
export const auditRead = defineEvent(
  'audit.read',
  Act.extend({ accountId: Id.nullable(), readActorId: Id.optional(), readAction: z.string().optional() }),
)
