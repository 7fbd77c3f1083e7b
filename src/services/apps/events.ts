import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent, defineStep } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

const AppAct = Act.extend({ appId: Id })

export const appRegistered = defineEvent('apps.registered', AppAct)
export const appChanged = defineEvent('apps.changed', AppAct)
export const appSecretRenewed = defineEvent('apps.secret-renewed', AppAct)
export const appDeleted = defineEvent('apps.deleted', AppAct)
export const appAllowed = defineEvent('apps.allowed', AppAct)
/** The app got a code without asking, because the person had allowed it before. */
export const appLoggedIn = defineEvent('apps.logged-in', AppAct)
/** By the staff. An app that registered itself belongs to no account. */
const OfStaff = AppAct.extend({ accountId: Id.nullable() })
export const appDisabled = defineEvent('apps.disabled', OfStaff)
export const appEnabled = defineEvent('apps.enabled', OfStaff)
/** `sessionIds`: the logins of the app that ended. */
export const appRemoved = defineEvent('apps.removed', AppAct.extend({ sessionIds: z.array(z.string()) }))
/** The next step of ending the logins of an app. `until` (epoch ms): it was disabled then, so its grants stay. */
export const appLoginsToEnd = defineStep('apps.logins-to-end', z.object({ appId: Id, until: z.number().optional() }))
