import { type Signal, signal } from '@preact/signals'
import { call, get } from './api.ts'
import { refreshHome } from './home.ts'
import { me } from './me.ts'
import { onAccountChange } from './session.ts'
import type { Account } from './wire.ts'

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

export async function setFollowing({ id }: Account, following: boolean): Promise<Account> {
  const account = await call<Account>(following ? 'PUT' : 'DELETE', `/accounts/${id}/follow`)
  refreshHome()
  return keep(account)
}

export async function setBlocking({ id }: Account, blocking: boolean): Promise<void> {
  keep(await call<Account>(blocking ? 'PUT' : 'DELETE', `/accounts/${id}/block`))
  refreshHome()
}

export async function editProfile(json: { displayName: string; bio: string }): Promise<void> {
  keep(await call<Account>('PATCH', '/accounts/me', { json }))
}
