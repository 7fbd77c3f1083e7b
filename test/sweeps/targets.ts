import { env } from 'cloudflare:workers'
import { idList } from '../../src/platform/data/databases.ts'
import { type Id, newId, shardOf } from '../../src/platform/data/ids.ts'
import { insertByShard, insertRows, seedFollows, seedImages, seedPeople, seedPosts } from '../support/rows.ts'
import { shards } from '../support/town.ts'

/** What the parameter of a path names. A parameter that is new belongs here. */
export const kindOfParameter: Record<string, Kind> = {
  accountId: 'account',
  handle: 'handle',
  postId: 'post',
  mediaId: 'image',
}
export type Kind = 'account' | 'handle' | 'post' | 'image'

/**
 * `open` is for everyone, `closed` for its owner's followers, `untaken` for its owner; `suspended` is for nobody, and
 * `absent` never was. What is `buried` would be for everyone, but hangs under a post of another shard that is for followers,
 * its owner idIn them.
 */
export type State = 'open' | 'closed' | 'buried' | 'untaken' | 'suspended' | 'absent'
export const states: Record<Kind, State[]> = {
  account: ['open', 'suspended', 'absent'],
  handle: ['open', 'suspended', 'absent'],
  post: ['open', 'closed', 'buried', 'absent'],
  image: ['open', 'closed', 'buried', 'untaken', 'absent'],
}

/** A thing that only one call names; its owner blocks `blockedId`. */
export type Target = { kind: Kind; state: State; ownerId: Id; parameter: string }

export async function makeTargets(wanted: readonly [Kind, State][], blockedId: Id): Promise<Target[]> {
  const owners = await seedPeople('target_', wanted.length, (i) => i % 2)
  await seedUsers(owners.map(({ id }) => id))
  await block(
    owners.map(({ id }) => id),
    blockedId,
  )
  const targets = wanted.map(([kind, state], i): Target => {
    const { id, handle } = owners[i]!
    const parameter = kind === 'handle' ? handle : id
    return { kind, state, ownerId: id, parameter: state === 'absent' ? absent(kind, i) : parameter }
  })
  for (const [state, seed] of Object.entries(seeds)) {
    const those = targets.filter((target) => target.state === state)
    await fill(
      those.filter(({ kind }) => kind === 'post'),
      seed,
    )
    await fill(
      those.filter(({ kind }) => kind === 'image'),
      async (ownerIds) => seedImages(ownerIds, await seed(ownerIds)),
    )
  }
  await fill(
    targets.filter(({ state }) => state === 'untaken'),
    seedImages,
  )
  await suspend(targets.flatMap(({ state, ownerId }) => (state === 'suspended' ? [ownerId] : [])))
  return targets
}

/** How a post of each of these owners comes to be in a state. */
const seeds: Partial<Record<State, (ownerIds: Id[]) => Promise<Id[]>>> = {
  open: (ownerIds) => seedPosts(ownerIds),
  closed: (ownerIds) => seedPosts(ownerIds, { visibility: 'followers' }),
  buried: seedBuried,
}

async function seedBuried(ownerIds: Id[]): Promise<Id[]> {
  const prefix = `host${crypto.randomUUID().slice(0, 8)}_`
  const people = await seedPeople(prefix, ownerIds.length, (i) => 1 - shardOf(ownerIds[i]!))
  const hosts = people.map(({ id }) => id)
  await seedFollows(ownerIds.map((id, i) => [id, hosts[i]!]))
  const roots = await seedPosts(hosts, { visibility: 'followers' })
  const comments = await seedPosts(ownerIds)
  for (const [i, id] of comments.entries()) {
    const under = shards[shardOf(id)]!.prepare('UPDATE posts SET root_id = ?1, parent_id = ?1 WHERE id = ?2')
    await under.bind(Number(roots[i]), Number(id)).run()
  }
  return comments
}

async function suspend(ids: readonly Id[]): Promise<void> {
  const statement = 'UPDATE accounts SET suspended_at = 1 WHERE id IN (SELECT value FROM json_each(?))'
  for (const db of shards) await db.prepare(statement).bind(idList(ids)).run()
}

async function fill(targets: Target[], make: (ownerIds: Id[]) => Promise<Id[]>): Promise<void> {
  const made = await make(targets.map((target) => target.ownerId))
  targets.forEach((target, i) => {
    target.parameter = made[i]!
  })
}

function absent(kind: Kind, i: number): string {
  return kind === 'handle' ? `nobody_${i}` : newId(i % 2, Date.now() - 86_400_000)
}

/** Their logins, as far as roles need one. */
async function seedUsers(ids: readonly Id[]): Promise<void> {
  const rows = ids.map((id) => ({
    id: Number(id),
    email: id,
    email_verified: 1,
    sealed_address: '',
    created_at: 0,
    updated_at: 0,
  }))
  await insertRows(env.DIRECTORY, 'users', rows)
}

async function block(ids: readonly Id[], otherId: Id): Promise<void> {
  const rows = ids.flatMap((id) => [
    { account_id: Number(id), other_id: Number(otherId), by_me: 1 },
    { account_id: Number(otherId), other_id: Number(id), by_me: 0 },
  ])
  await insertByShard('blocks', rows, (row) => row.account_id)
}
