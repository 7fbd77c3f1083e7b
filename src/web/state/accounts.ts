import { type Signal, signal } from '@preact/signals'
import { call, get } from '../api/api.ts'
import { onAccountChange } from '../api/session.ts'
import type { Account, ProfileChange } from '../api/wire.ts'
import { me } from './current-account.ts'
import { refreshHome } from './home.ts'

const accounts = new Map<string, Signal<Account | null>>()
onAccountChange(() => accounts.clear())

/** An account as last seen; null before it is. */
export function accountWith(handle: string): Signal<Account | null> {
  const held = accounts.get(handle) ?? signal<Account | null>(null)
  accounts.set(handle, held)
  return held
}

function keep(account: Account): Account {
  accountWith(account.handle).value = account
  if (account.id === me.value?.id) me.value = account
  return account
}

export async function readAccount(handle: string): Promise<Account> {
  return keep(await get<Account>(`/accounts/by-handle/${encodeURIComponent(handle)}`))
}

export async function setFollowing(account: Account, following: boolean): Promise<void> {
  const path = `/accounts/${account.id}/follow`
  if (following) keep(await call<Account>('PUT', path))
  else await call('DELETE', path).then(() => relate(account, { following }))
  refreshHome()
}

export async function setBlocking(account: Account, blocking: boolean): Promise<void> {
  await call(blocking ? 'PUT' : 'DELETE', `/accounts/${account.id}/block`)
  relate(account, blocking ? { blocking, following: false, followedBy: false } : { blocking })
  refreshHome()
}

/** Takes back a block of an account that may be hidden. */
export async function unblock(id: string): Promise<void> {
  await call('DELETE', `/accounts/${id}/block`)
  refreshHome()
}

/** Shows how one stands to an account from now on, where the server's answer tells nothing of the account. */
function relate(account: Account, change: Partial<Account['relation']>): void {
  keep({ ...account, relation: { ...account.relation!, ...change } })
}

export async function editProfile(json: ProfileChange): Promise<void> {
  keep(await call<Account>('PATCH', '/accounts/me', { json }))
}
