import { type Signal, signal } from '@preact/signals'
import type { Account, ProfileChange } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onAccountChange } from '../api/session.ts'
import { currentAccount } from './current-account.ts'
import { invalidateHomeFeed } from './home.ts'
import { redirect } from './location.ts'

export type Relation = NonNullable<Account['relation']>

const accounts = new Map<string, Signal<Account | null>>()
onAccountChange(() => accounts.clear())

/** The last known state of an account; null until it is loaded. */
export function accountSignal(handle: string): Signal<Account | null> {
  const account = accounts.get(handle) ?? signal<Account | null>(null)
  accounts.set(handle, account)
  return account
}

function storeAccount(account: Account): Account {
  accountSignal(account.handle).value = account
  if (account.id === currentAccount.value?.id) currentAccount.value = account
  return account
}

export async function loadAccount(handle: string): Promise<Account> {
  return storeAccount(await client.getAccountByHandle({ handle }))
}

/** Loads an account. If it has another handle by now, opens the address with that one. */
export async function loadForwarded(handle: string, pathOf: (handle: string) => string): Promise<void> {
  const account = await loadAccount(handle)
  if (account.handle !== handle) redirect(pathOf(account.handle))
}

export async function setFollowing(account: Account, following: boolean): Promise<void> {
  const target = { accountId: account.id }
  if (following) storeAccount(await client.followAccount(target))
  else await client.unfollowAccount(target).then(() => updateRelation(account, { following }))
  invalidateHomeFeed()
}

export async function setBlocking(account: Account, blocking: boolean): Promise<void> {
  await (blocking ? client.blockAccount : client.unblockAccount)({ accountId: account.id })
  updateRelation(account, blocking ? { blocking, following: false, followedBy: false } : { blocking })
  invalidateHomeFeed()
}

/** Unblocks by id, because the account itself may be hidden. */
export async function unblock(id: string): Promise<void> {
  await client.unblockAccount({ accountId: id })
  invalidateHomeFeed()
}

/** Applies a change whose response does not include the account. */
function updateRelation(account: Account, change: Partial<Relation>): void {
  const { relation } = account
  storeAccount({ ...account, relation: relation && { ...relation, ...change } })
}

export type ProfileImage = 'avatar' | 'header'

export async function setProfileImage(place: ProfileImage, file: File): Promise<void> {
  storeAccount(await (place === 'avatar' ? client.setAvatar : client.setHeader)({ file }))
}

export async function removeProfileImage(account: Account, place: ProfileImage): Promise<void> {
  await (place === 'avatar' ? client.deleteAvatar : client.deleteHeader)()
  storeAccount({ ...account, [`${place}Url`]: null })
}

export async function editProfile(change: ProfileChange): Promise<void> {
  storeAccount(await client.editProfile(change))
}
