import type { Id } from '../../src/platform/data/ids.ts'
import { getAccount } from '../../src/services/accounts/accounts.ts'
import { count, countRows, shards } from './databases.ts'
import { asAnonymous } from './viewers.ts'

// Reads relations from the databases. A follow is stored on the follower's shard and mirrored on the followee's shard.

export const isFollowing = (follower: Id, followee: Id): Promise<number> =>
  countRows('follows', { follower_id: follower, followee_id: followee })

export const hasFollower = (followee: Id, follower: Id): Promise<number> =>
  countRows('followers', { account_id: followee, follower_id: follower })

export const knowsOfBlock = (accountId: Id, otherId: Id): Promise<number> =>
  countRows('blocks', { account_id: accountId, other_id: otherId })

export async function followCounts(accountId: Id): Promise<[followers: number, following: number]> {
  const { followerCount, followingCount } = await getAccount(asAnonymous(), { accountId })
  return [followerCount, followingCount]
}

/** The sum of the stored follower and following counts of these accounts, even of accounts that are hidden. */
export const countedFollows = (...ids: Id[]): Promise<number> =>
  count(`SELECT coalesce(sum(follower_count + following_count), 0) n FROM accounts WHERE id IN (${ids})`)

type Relation = [follows: number, followers: number, blocksByFirst: number, blocksBySecond: number]

/** For each shard, the numbers of follows, followers and blocks between the two accounts. */
export async function relationRows(first: Id, second: Id): Promise<Relation[]> {
  const [a, b] = [Number(first), Number(second)]
  const conditions = [
    `follows WHERE follower_id IN (${a}, ${b}) AND followee_id IN (${a}, ${b}) AND follower_id != followee_id`,
    `followers WHERE account_id IN (${a}, ${b}) AND follower_id IN (${a}, ${b})`,
    `blocks WHERE (account_id, other_id, by_me) IN (VALUES (${a}, ${b}, 1), (${b}, ${a}, 0))`,
    `blocks WHERE (account_id, other_id, by_me) IN (VALUES (${b}, ${a}, 1), (${a}, ${b}, 0))`,
  ] as const
  const on = (db: D1Database) => (from: string) => count(`SELECT count(*) n FROM ${from}`, [db])
  const relationOn = async (db: D1Database): Promise<Relation> => {
    const [follows, followers, byFirst, bySecond] = conditions
    const rows = on(db)
    return Promise.all([rows(follows), rows(followers), rows(byFirst), rows(bySecond)])
  }
  return Promise.all(shards.map(relationOn))
}

export const noRelation: Relation = [0, 0, 0, 0]
export const blockedByFirst: Relation = [0, 0, 1, 0]
export const blockedBySecond: Relation = [0, 0, 0, 1]
export const blockedByBoth: Relation = [0, 0, 1, 1]
