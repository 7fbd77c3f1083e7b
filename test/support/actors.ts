import { env } from 'cloudflare:workers'
import { asViewer, type Role, type SystemCtx, type UserCtx } from '../../src/platform/context.ts'
import { createContext } from '../../src/platform/create-context.ts'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import { openAccount } from '../../src/services/accounts/statements.ts'
import { verificationToken } from '../../src/services/identity/verification.ts'
import type { Tokens } from '../../src/services/identity/views.ts'
import { type Client, client, postJson } from './client.ts'
import { insertByShard, insertRows, shardHolding, unusedId } from './databases.ts'

export const PASSWORD = '9-zq!7-xk?4-vw+2'

/** A user registered and logged in over HTTP. `fetch` sends the access token and the bookmarks of the last write. */
export type RegisteredUser = Client & {
  id: Id
  handle: string
  token: string
  refreshToken: string
  deviceToken: string
}

/** An account without a login, for tests that call verbs. Each read of `ctx` starts a new request. */
export type Account = { id: Id; handle: string; readonly ctx: UserCtx }

/** Addresses of `registeredUser`, which verifies them itself, perhaps before the email about it is sent. */
export const registeredAddresses = new Set<string>()

/** Registers a user and verifies the email address, which also logs the user in. */
export async function registeredUser(
  handle = `user_${crypto.randomUUID().slice(0, 8)}`,
  { email = `${handle}@example.com`, password = PASSWORD }: { email?: string; password?: string } = {},
): Promise<RegisteredUser> {
  const user: RegisteredUser = {
    id: '' as Id,
    handle,
    token: '',
    refreshToken: '',
    deviceToken: '',
    ...client(() => user.token || null),
  }
  registeredAddresses.add(email)
  const registered = await postJson('/v1/auth/register', { handle, email, password }, user)
  await expectOk(registered)
  const { registrationToken } = await registered.json<{ registrationToken: string }>()
  const token = await mailedToken(handle)
  return store(user, await postJson('/v1/auth/verify', { token, registrationToken }, user))
}

/** The verification token that the email of the handle's latest registration contains. */
export async function mailedToken(handle: string): Promise<string> {
  const row = await env.DIRECTORY.prepare('select account_id, address from handles where handle = ?')
    .bind(handle)
    .first<{ account_id: number; address: string }>()
  return verificationToken(context(), { accountId: String(row!.account_id) as Id, address: row!.address })
}

/** Sets the role directly in the directory, and refreshes the user's tokens so that they contain the role. */
export async function setRole(user: RegisteredUser, role: Role): Promise<void> {
  await env.DIRECTORY.prepare('update users set role = ? where id = ?').bind(role, Number(user.id)).run()
  await refresh(user)
}

export async function refresh(user: RegisteredUser): Promise<void> {
  await store(user, await postJson('/v1/auth/refresh', { refreshToken: user.refreshToken }))
}

async function store(user: RegisteredUser, response: Response): Promise<RegisteredUser> {
  await expectOk(response)
  const { accessToken: token, refreshToken, deviceToken, account } = await response.json<Tokens>()
  return Object.assign(user, { token, refreshToken, deviceToken, id: account.id })
}

async function expectOk(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
}

/** Creates an account with the statements that the verification of an email address runs. */
export async function account(handle: string, shard: number): Promise<Account> {
  const { db, now } = context()
  const id = newId(shard, now())
  const [row, ownFollow] = openAccount(db.shard(shard), { id, handle })
  await db.shard(shard).batch([row, ownFollow])
  return {
    id,
    handle,
    get ctx() {
      return asViewer(context(), id)
    },
  }
}

function context(): SystemCtx {
  return createContext({ env, waitUntil: () => {}, start: 'first-primary' })
}

const handles = new Map<Id, string>()

/** Inserts the rows of many accounts and their handles in bulk. The i-th account is on shard `shardOf(i)`. */
export async function bulkAccounts(
  count: number,
  shardOf: (i: number) => number = (i) => i % 2,
): Promise<{ id: Id; handle: string }[]> {
  const prefix = `u${crypto.randomUUID().slice(0, 8)}_`
  const accounts = Array.from({ length: count }, (_, i) => ({ id: unusedId(shardOf(i)), handle: `${prefix}${i}` }))
  const rows = accounts.map(({ id, handle }) => ({
    id: Number(id),
    handle,
    display_name: handle,
    created_at: Date.now(),
  }))
  const ownFollows = accounts.map(({ id }) => ({ follower_id: Number(id), id: Number(id), followee_id: Number(id) }))
  const handleRows = accounts.map(({ id, handle }) => ({ handle, account_id: Number(id), address: handle }))
  await insertByShard('accounts', rows, (row) => row.id)
  await insertByShard('follows', ownFollows, (row) => row.follower_id)
  await insertRows(env.DIRECTORY, 'handles', handleRows)
  for (const { id, handle } of accounts) handles.set(id, handle)
  return accounts
}

export async function bulkIds(count: number, shardOf?: (i: number) => number): Promise<Id[]> {
  return (await bulkAccounts(count, shardOf)).map(({ id }) => id)
}

/** Creates one account on each of these shards, and returns the ids. */
export async function accountsOn<const Shards extends readonly number[]>(
  ...shards: Shards
): Promise<{ [Place in keyof Shards]: Id }> {
  const ids = await bulkIds(shards.length, (i) => shards[i]!)
  return ids as { [Place in keyof Shards]: Id }
}

/** The handle of an account that `bulkAccounts` made. */
export const handleOf = (id: Id): string => handles.get(id)!

/** Marks the account as suspended in its shard, without an event and without revoking tokens. */
export async function markSuspended(id: Id, at = 1): Promise<void> {
  await shardHolding(id).prepare('update accounts set suspended_at = ? where id = ?').bind(at, Number(id)).run()
}
