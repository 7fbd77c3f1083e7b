import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

const AppAct = Act.extend({ appId: Id })

export const appRegistered = defineEvent('apps.registered', AppAct)
export const appChanged = defineEvent('apps.changed', AppAct)
export const appSecretRenewed = defineEvent('apps.secret-renewed', AppAct)
export const appDeleted = defineEvent('apps.deleted', AppAct)
export const appAllowed = defineEvent('apps.allowed', AppAct)
/** `sessionIds`: the logins of the app that ended. */
export const appRemoved = defineEvent('apps.removed', AppAct.extend({ sessionIds: z.array(z.string()) }))
/** The next step of ending the logins of an app that was deleted. */
export const appLoginsToEnd = defineEvent('apps.logins-to-end', z.object({ appId: Id }))
