import { z } from '@hono/zod-openapi'
import { defineEvent } from '../../platform/events.ts'
import { Id } from '../../platform/ids.ts'

export const accountFollowed = defineEvent('account.followed', z.object({ followerId: Id, followeeId: Id }))
export const accountUnfollowed = defineEvent('account.unfollowed', z.object({ followerId: Id, followeeId: Id }))
export const accountBlocked = defineEvent('account.blocked', z.object({ accountId: Id, otherId: Id }))
export const accountUnblocked = defineEvent('account.unblocked', z.object({ accountId: Id, otherId: Id }))
export const accountSuspended = defineEvent('account.suspended', z.object({ accountId: Id }))
export const suspensionLifted = defineEvent('account.suspension-lifted', z.object({ accountId: Id }))
