import { and, eq, exists, isNull, not, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { all, type Bound, one, query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { invalid } from '../../platform/failures.ts'
import { defineAction } from '../../platform/security/actions.ts'
import { defineScope } from '../../platform/security/scopes.ts'
import { accounts, blocks, followers } from './tables.ts'

export const readAccounts = defineScope('accounts:read', 'Read accounts, followers and your blocks')
export const writeAccounts = defineScope('accounts:write', 'Edit your profile, follow and block accounts')
export const moderate = defineScope('moderation', 'Suspend accounts, approve registrations and change roles', {
  for: 'staff',
})

export const suspendAccounts = defineAction('accounts:suspend', {
  allows: 'Suspend accounts, and lift suspensions',
  role: 'moderator',
})

type AccountId = Bound<Id> | SQLWrapper

/** An account that is suspended or waits for its erasure is hidden, with everything that it has created. */
export const isActive = all(isNull(accounts.suspendedAt), isNull(accounts.deletedAt))

/** Must run on the shard of the account. */
export function isHidden(accountId: AccountId): SQL {
  const active = and(eq(accounts.id, accountId), isActive)
  return not(exists(query.select(one).from(accounts).where(active)))
}

/** Whether a block exists in either direction. All block predicates must run on the shard of their first account. */
export function blockBetween(accountId: AccountId, otherId: AccountId): SQL {
  return exists(
    query
      .select(one)
      .from(blocks)
      .where(and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId))),
  )
}

export function blocksOther(accountId: AccountId, otherId: AccountId): SQL {
  return blockRow(accountId, otherId, true)
}

export function isBlockedBy(accountId: AccountId, otherId: AccountId): SQL {
  return blockRow(accountId, otherId, false)
}

function blockRow(accountId: AccountId, otherId: AccountId, byMe: boolean): SQL {
  const row = and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId), eq(blocks.byMe, byMe))
  return exists(query.select(one).from(blocks).where(row))
}

/** For queries of `accounts`: whether the viewer may know that the account exists. */
export function knownTo(viewerId: Bound<Id> | null): SQL {
  return viewerId === null ? isActive : all(isActive, not(blocksOther(accounts.id, viewerId)))
}

/** Decides who sees followers-only posts. Must run on the shard of `accountId`. */
export function isFollowedBy(accountId: AccountId, followerId: AccountId): SQL {
  const row = and(eq(followers.accountId, accountId), eq(followers.followerId, followerId))
  return exists(query.select(one).from(followers).where(row))
}

/** Throws `invalid`: for example, nobody follows, blocks or gives a role to their own account. */
export function requireOther({ viewer }: UserCtx, accountId: Id): void {
  if (accountId === viewer.id) throw invalid('accountId', 'is your own')
}
