import { signal } from '@preact/signals'
import type { Account } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onAccountChange } from '../api/session.ts'

export const currentAccount = signal<Account | null>(null)
onAccountChange(() => {
  currentAccount.value = null
})

export async function loadCurrentAccount(): Promise<void> {
  currentAccount.value = await client.getMe()
}
