import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent, defineStep } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

export const accountFollowed = defineEvent('account.followed', z.object({ followerId: Id, followeeId: Id }))
export const accountUnfollowed = defineEvent('account.unfollowed', z.object({ followerId: Id, followeeId: Id }))
export const accountBlocked = defineEvent('account.blocked', z.object({ accountId: Id, otherId: Id }))
export const accountUnblocked = defineEvent('account.unblocked', z.object({ accountId: Id, otherId: Id }))
export const accountSuspended = defineEvent('account.suspended', Act)
export const suspensionLifted = defineEvent('account.suspension-lifted', Act)
/** For accounts that were suspended before the directory had a copy. */
export const suspensionToCopy = defineEvent('account.suspension-to-copy', z.object({ accountId: Id }))
/** `account.hidden` and `account.shown`: `isActive` changed. Record one of them in the batch of the change. */
export const accountHidden = defineEvent('account.hidden', z.object({ accountId: Id }))
export const accountShown = defineEvent('account.shown', z.object({ accountId: Id }))
/** The account was opened, or its display name or bio changed. */
export const accountChanged = defineEvent('account.changed', z.object({ accountId: Id }))
export const accountRenamed = defineEvent('account.renamed', z.object({ accountId: Id }))
export const followsToMark = defineStep(
  'account.follows-to-mark',
  z.object({ accountId: Id, list: z.enum(['following', 'followers']), after: Id.nullable() }),
)
