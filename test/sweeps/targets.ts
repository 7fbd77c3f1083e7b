import { env } from 'cloudflare:workers'
import { type Id, newId, shardOf } from '../../src/platform/data/ids.ts'
import { idList, mapConcurrently } from '../../src/platform/data/shards.ts'
import { bulkAccounts, bulkIds } from '../support/actors.ts'
import { insertApiKey } from '../support/api-keys.ts'
import { insertApp } from '../support/apps.ts'
import { seedConversation } from '../support/conversations.ts'
import { insertByShard, insertRows, shardHolding, shards } from '../support/databases.ts'
import { seedExports } from '../support/exports.ts'
import { insertPasskey } from '../support/factors.ts'
import { askToJoin, seedGroup } from '../support/groups.ts'
import { insertLogin } from '../support/logins.ts'
import { insertNotification, insertPush } from '../support/pushes.ts'
import { seedFollows, seedImages, seedPosts } from '../support/seed.ts'
import { acceptMessages, seedDelivery, webhookOf } from '../support/webhooks.ts'

/** What each path parameter names. Add new parameters here. */
export const kindOfParameter: Record<string, Kind> = {
  accountId: 'account',
  handle: 'handle',
  postId: 'post',
  mediaId: 'image',
  exportId: 'export',
  sessionId: 'session',
  invitationId: 'account',
  // None is configured here, and no account is linked to one: their own tests succeed with them.
  providerId: 'account',
  linkId: 'account',
  token: 'account', // that of a mail is a text, with which its own test succeeds
  roleName: 'handle',
  grantId: 'account',
  passkeyId: 'passkey',
  apiKeyId: 'API key',
  appId: 'app',
  conversationId: 'conversation',
  messageId: 'message',
  notificationId: 'notification',
  subscriptionId: 'push subscription',
  // Any handle is the name of a hashtag too, whether or not somebody has it.
  tag: 'handle',
  webhookId: 'webhook',
  deliveryId: 'delivery',
  groupId: 'group',
  memberId: 'member',
  requestId: 'request to join',
}
export type Kind =
  | 'account'
  | 'handle'
  | 'post'
  | 'image'
  | 'session'
  | 'export'
  | 'passkey'
  | 'API key'
  | 'app'
  | 'conversation'
  | 'message'
  | 'notification'
  | 'push subscription'
  | 'webhook'
  | 'delivery'
  | 'group'
  | 'member'
  | 'request to join'

/**
 * `public` is visible to everyone, `restricted` to followers, `unattached` to its owner, `suspended` to nobody.
 * `missing` never existed. `nested` is a comment, or the image of one. Its root is a restricted post on another shard,
 * and the owner of the comment follows the author of the root.
 */
export type State = 'public' | 'restricted' | 'nested' | 'unattached' | 'suspended' | 'missing'
export const states: Record<Kind, State[]> = {
  account: ['public', 'suspended', 'missing'],
  handle: ['public', 'suspended', 'missing'],
  post: ['public', 'restricted', 'nested', 'missing'],
  image: ['public', 'restricted', 'nested', 'unattached', 'missing'],
  export: ['unattached', 'missing'],
  session: ['restricted', 'missing'],
  passkey: ['restricted', 'missing'],
  'API key': ['restricted', 'missing'],
  app: ['restricted', 'missing'],
  conversation: ['restricted', 'missing'],
  message: ['restricted', 'missing'],
  notification: ['restricted', 'missing'],
  'push subscription': ['restricted', 'missing'],
  webhook: ['restricted', 'missing'],
  delivery: ['restricted', 'missing'],
  group: ['restricted', 'missing'],
  member: ['restricted', 'missing'],
  'request to join': ['restricted', 'missing'],
}

export type Aim = { kind: Kind; state: State }

/** What one call acts on. Calls that change something share none. Its owner blocks the `blockedId` of `makeTargets`. */
export type Target = Aim & { ownerId: Id; parameter: string }

export async function makeTargets(wanted: readonly [Kind, State][], blockedId: Id): Promise<Target[]> {
  acceptMessages()
  const owners = await bulkAccounts(wanted.length)
  await seedUsers(owners.map(({ id }) => id))
  await block(
    owners.map(({ id }) => id),
    blockedId,
  )
  const targets = wanted.map(([kind, state], i): Target => {
    const { id, handle } = owners[i]!
    const parameter = kind === 'handle' ? handle : id
    return { kind, state, ownerId: id, parameter: state === 'missing' ? missing(kind, i) : parameter }
  })
  for (const [state, seed] of Object.entries(seeds)) {
    const inState = targets.filter((target) => target.state === state)
    await fill(
      inState.filter(({ kind }) => kind === 'post'),
      seed,
    )
    await fill(
      inState.filter(({ kind }) => kind === 'image'),
      async (ownerIds) => seedImages(ownerIds, await seed(ownerIds)),
    )
  }
  const own = targets.filter(({ state }) => state === 'unattached')
  await fill(
    own.filter(({ kind }) => kind === 'image'),
    seedImages,
  )
  await fill(
    own.filter(({ kind }) => kind === 'export'),
    seedExports,
  )
  const [actor] = await bulkIds(1)
  for (const target of targets) {
    if (target.state === 'missing') continue
    if (target.kind === 'session') target.parameter = await insertLogin(target.ownerId)
    if (target.kind === 'passkey') target.parameter = await insertPasskey(target.ownerId)
    if (target.kind === 'push subscription') target.parameter = await insertPush(target.ownerId)
    if (target.kind === 'notification') target.parameter = await insertNotification(target.ownerId, actor!)
    if (target.kind === 'webhook') target.parameter = (await webhookOf(target.ownerId)).id
    if (target.kind === 'delivery') target.parameter = await seedDelivery(target.ownerId)
    if (target.kind === 'API key') target.parameter = (await insertApiKey(target.ownerId)).id
  }
  await seedConversations(targets.filter(({ state }) => state !== 'missing'))
  await seedGroups(targets.filter(({ state }) => state !== 'missing'))
  for (const target of targets) {
    const { kind, state, ownerId } = target
    if (kind === 'app' && state !== 'missing') target.parameter = (await insertApp(ownerId, { isAllowed: true })).id
  }
  await suspend(targets.flatMap(({ state, ownerId }) => (state === 'suspended' ? [ownerId] : [])))
  return targets
}

async function seedConversations(targets: Target[]): Promise<void> {
  const wanted = targets.filter(({ kind }) => kind === 'conversation' || kind === 'message')
  const [other] = await bulkIds(1)
  await mapConcurrently(wanted, async (target) => {
    const id = await seedConversation(target.ownerId, other!, true)
    target.parameter = target.kind === 'message' ? `${id}.1` : id
  })
}

async function seedGroups(targets: Target[]): Promise<void> {
  const kinds: Kind[] = ['group', 'member', 'request to join']
  const wanted = targets.filter(({ kind }) => kinds.includes(kind))
  const [other, asking] = await bulkIds(2)
  await mapConcurrently(wanted, async (target) => {
    const id = await seedGroup(target.ownerId, [other!])
    if (target.kind === 'request to join') await askToJoin(target.ownerId, id, asking!)
    const suffix = { member: `.${other}`, 'request to join': `.${asking}` }[target.kind as string] ?? ''
    target.parameter = `${id}${suffix}`
  })
}

/** For each state, a function that creates one post per owner and returns the ids of these posts. */
const seeds: Partial<Record<State, (ownerIds: Id[]) => Promise<Id[]>>> = {
  public: (ownerIds) => seedPosts(ownerIds),
  restricted: (ownerIds) => seedPosts(ownerIds, { visibility: 'followers' }),
  nested: seedNested,
}

async function seedNested(ownerIds: Id[]): Promise<Id[]> {
  const hosts = await bulkIds(ownerIds.length, (i) => 1 - shardOf(ownerIds[i]!))
  await seedFollows(ownerIds.map((id, i) => [id, hosts[i]!]))
  const roots = await seedPosts(hosts, { visibility: 'followers' })
  const comments = await seedPosts(ownerIds)
  for (const [i, id] of comments.entries()) {
    const under = shardHolding(id).prepare('UPDATE posts SET root_id = ?1, parent_id = ?1 WHERE id = ?2')
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

function missing(kind: Kind, i: number): string {
  if (kind === 'conversation') return `${i}`.padStart(32, '0')
  if (kind === 'group') return `${i}`.padStart(32, '0')
  if (kind === 'member' || kind === 'request to join') return `${`${i}`.padStart(32, '0')}.1`
  if (kind === 'message') return `${`${i}`.padStart(32, '0')}.1`
  if (kind === 'delivery') return `${newId(i % 2, Date.now() - 86_400_000)}.1`
  return kind === 'handle' ? `nobody_${i}` : newId(i % 2, Date.now() - 86_400_000)
}

/** Inserts the directory rows that `setRole` needs. */
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
