import { type Id, shardOf } from '../../src/platform/data/ids.ts'
import { type Community, newIds, pick, someFollows } from './seed.ts'

type Size = { people: number; followed: number; posts: number }

/** People of two shards, each of whom follows `followed` others at random, and `posts` posts of random authors. */
export function makeCrowd({ people, followed, posts }: Size): Community {
  const accounts = newIds(people)
  const themselves = accounts.map((id) => ({ followerId: id, followeeId: id }))
  const others = accounts.flatMap((id) => someFollows(accounts, id, Math.min(followed, people - 1)))
  const byShard = Map.groupBy(accounts, shardOf)
  return {
    accounts,
    posts: newIds(posts).map((id) => ({ id, authorId: pick(byShard.get(shardOf(id))!) })),
    follows: [...themselves, ...others],
    readers: { 50: [], 200: [], 500: [] },
    neighbours: [],
  }
}

/** Lets these people follow the author too. */
export function addFollowers(crowd: Community, followeeId: Id, followers: readonly Id[]): void {
  const known = new Set(crowd.follows.flatMap((each) => (each.followeeId === followeeId ? each.followerId : [])))
  crowd.follows.push(...followers.filter((id) => !known.has(id)).map((followerId) => ({ followerId, followeeId })))
}
