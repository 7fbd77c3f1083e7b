import { and, eq, exists, gt, isNotNull, lt, not, or, type SQL, type SQLWrapper } from 'drizzle-orm'
import { either, jsonText, one, query } from '../../platform/data/conditions.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import { followers, follows } from '../accounts/tables.ts'
import type { Kind } from '../notifications/tables.ts'
import { type Audience, type Channel, notificationPreferences as preferences } from './tables.ts'

export const defaultAudience: Record<'inApp' | Channel, Audience> = {
  inApp: 'everyone',
  mail: 'nobody',
  push: 'everyone',
}

type Action = { id: Id; kind: Kind; actorId: Id }

/** Whether the account followed the actor when the event happened: a relation has the id of its own event. */
export function wasFollowing(accountId: Id | SQLWrapper, actorId: Id | SQLWrapper, eventId: Id | SQLWrapper): SQL {
  const row = and(eq(follows.followerId, accountId), eq(follows.followeeId, actorId), lt(follows.id, eventId))
  return exists(query.select(one).from(follows).where(row))
}

export function wasFollowedBy(accountId: Id | SQLWrapper, actorId: Id | SQLWrapper, eventId: Id | SQLWrapper): SQL {
  const row = and(eq(followers.accountId, accountId), eq(followers.followerId, actorId), lt(followers.id, eventId))
  return exists(query.select(one).from(followers).where(row))
}

/** Whether the account wants to hear of the action. The same however late the event arrives. Must run on the account's shard. */
export function allows(accountId: Id, { id, kind, actorId }: Action, channel: 'inApp' | Channel): SQL {
  const rules = either(gt(preferences.changedAt, timeOf(id)), preferences.previousRules, preferences.rules)
  const audience = jsonText(rules, `$.${kind}.${channel}`)
  const isAllowed = or(
    eq(audience, 'everyone'),
    and(eq(audience, 'followed'), wasFollowing(accountId, actorId, id)),
    and(eq(audience, 'followers'), wasFollowedBy(accountId, actorId, id)),
  )!
  const rule = (holds: SQL) =>
    exists(
      query
        .select(one)
        .from(preferences)
        .where(and(eq(preferences.accountId, accountId), isNotNull(audience), holds)),
    )
  return defaultAudience[channel] === 'everyone' ? not(rule(not(isAllowed))) : rule(isAllowed)
}
