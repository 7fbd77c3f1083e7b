import { env } from 'cloudflare:workers'
import { type Id, newId } from '../../src/platform/ids.ts'
import { insertByShard, insertRows, seedImages, seedPeople, seedPosts } from '../support/rows.ts'

/** What the parameter of a path names. A parameter that is new belongs here. */
export const kindOfParameter: Record<string, Kind> = {
  accountId: 'account',
  handle: 'handle',
  postId: 'post',
  mediaId: 'image',
}
export type Kind = 'account' | 'handle' | 'post' | 'image'

/** `open` is for everyone, `closed` for its owner's followers, `untaken` for its owner, and `absent` never was. */
export type State = 'open' | 'closed' | 'untaken' | 'absent'
export const states: Record<Kind, State[]> = {
  account: ['open', 'absent'],
  handle: ['open', 'absent'],
  post: ['open', 'closed', 'absent'],
  image: ['open', 'closed', 'untaken', 'absent'],
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
  for (const visibility of ['public', 'followers'] as const) {
    const those = targets.filter(({ state }) => state === (visibility === 'public' ? 'open' : 'closed'))
    await fill(
      those.filter(({ kind }) => kind === 'post'),
      (ownerIds) => seedPosts(ownerIds, { visibility }),
    )
    await fill(
      those.filter(({ kind }) => kind === 'image'),
      async (ownerIds) => seedImages(ownerIds, await seedPosts(ownerIds, { visibility })),
    )
  }
  await fill(
    targets.filter(({ state }) => state === 'untaken'),
    seedImages,
  )
  return targets
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
