import { and, eq, exists } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query as builder, flag, one } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { invalid } from '../../platform/failures.ts'
import { type Allowance, refund, spend } from '../../platform/security/rate-limit.ts'
import { knownTo } from '../accounts/policy.ts'
import { accounts, blocks, follows } from '../accounts/tables.ts'
import type { Invitee } from './group-facts.ts'
import { strangerLimit } from './limits.ts'

/** Reads the primaries. Null if the viewer may not add one of the accounts: it is hidden, or one of the two blocks the other. */
export async function inviteesOf(ctx: UserCtx, ids: readonly Id[]): Promise<Invitee[] | null> {
  const { id } = ctx.viewer
  const db = atPrimary(ctx)
  const follow = and(eq(follows.followerId, accounts.id), eq(follows.followeeId, id))
  const isFollower = exists(builder.select(one).from(follows).where(follow))
  const [known, blocked] = await Promise.all([
    fromShards(db, ids, (shard, group) =>
      shard
        .select({ accountId: accounts.id, follows: flag(isFollower, 'follows') })
        .from(accounts)
        .where(and(idIn(accounts.id, group), knownTo(id))),
    ),
    db.shardOf(id).$count(blocks, and(eq(blocks.accountId, id), idIn(blocks.otherId, ids))),
  ])
  return known.length < ids.length || blocked > 0 ? null : known
}

/** Counts a request for each account that does not follow the viewer, with one call; for all of them, or for none. */
export async function spendRequests(ctx: UserCtx, invitees: readonly Invitee[]): Promise<void> {
  const strangers = invitees.filter((invitee) => !invitee.follows)
  const { quota } = strangerLimit
  if (strangers.length > quota) throw invalid('members', `contains more than ${quota} accounts that do not follow you`)
  const limit = { ...strangerLimit, lease: strangers.length }
  const spent: Allowance[] = []
  try {
    for (const _ of strangers) spent.push(await spend(ctx, limit, ctx.viewer.id))
  } catch (error) {
    for (const allowance of spent) await refund(ctx, limit, ctx.viewer.id, allowance)
    throw error
  }
}
