import { and, eq, exists, inArray, isNotNull, lt, max, not, or, type SQL, type SQLWrapper } from 'drizzle-orm'
import { all, jsonText, one, query } from '../../platform/data/conditions.ts'
import { type Id, TICK_MS, timeOf } from '../../platform/data/ids.ts'
import { followers, follows } from '../accounts/tables.ts'
import { type Audience, type Channel, type RuleKind, notificationRules as rules } from './tables.ts'

export const defaultAudience: Record<'inApp' | Channel, Audience> = {
  inApp: 'everyone',
  mail: 'nobody',
  push: 'everyone',
}

type Action = { id: Id; kind: RuleKind; actorId: Id }

/** Whether the account followed the actor when the event happened: a relation has the id of its own event. */
export function wasFollowing(accountId: Id | SQLWrapper, actorId: Id | SQLWrapper, eventId: Id | SQLWrapper): SQL {
  const row = and(eq(follows.followerId, accountId), eq(follows.followeeId, actorId), lt(follows.id, eventId))
  return exists(query.select(one).from(follows).where(row))
}

export function wasFollowedBy(accountId: Id | SQLWrapper, actorId: Id | SQLWrapper, eventId: Id | SQLWrapper): SQL {
  const row = and(eq(followers.accountId, accountId), eq(followers.followerId, actorId), lt(followers.id, eventId))
  return exists(query.select(one).from(followers).where(row))
}

/** The audience that the rules of the account name at the time of the action; null for the default. */
function ruleOf(accountId: Id | SQLWrapper, { id, kind }: Action, channel: 'inApp' | Channel) {
  const known = and(eq(rules.accountId, accountId), lt(rules.since, timeOf(id) + TICK_MS))
  const since = query
    .select({ since: max(rules.since) })
    .from(rules)
    .where(known)
  const audience = jsonText(rules.rules, `$.${kind}.${channel}`)
  const isNamed = and(eq(rules.accountId, accountId), inArray(rules.since, since), isNotNull(audience))
  const names = (holds: SQL) => exists(query.select(one).from(rules).where(and(isNamed, holds)))
  return { audience, names }
}

/** Whether the rules at the time of the action allow a notification. A follow counts if it existed then and still does. */
export function allows(accountId: Id | SQLWrapper, action: Action, channel: 'inApp' | Channel): SQL {
  const { id, actorId } = action
  const { audience, names } = ruleOf(accountId, action, channel)
  const isAllowed = or(
    eq(audience, 'everyone'),
    and(eq(audience, 'followed'), wasFollowing(accountId, actorId, id)),
    and(eq(audience, 'followers'), wasFollowedBy(accountId, actorId, id)),
  )!
  return defaultAudience[channel] === 'everyone' ? not(names(not(isAllowed))) : names(isAllowed)
}

/** Whether the answer depends on a copy of a follow that this shard does not have, perhaps not yet. */
export function awaitsFollower(accountId: Id, action: Action): SQL {
  const { audience, names } = ruleOf(accountId, action, 'inApp')
  return all(names(eq(audience, 'followers')), not(wasFollowedBy(accountId, action.actorId, action.id)))
}
