import { signal } from '@preact/signals'
import { get } from '../api/api.ts'
import { onAccountChange } from '../api/session.ts'
import type { Account } from '../api/wire.ts'

/** The account that is logged in. */
export const me = signal<Account | null>(null)
onAccountChange(() => {
  me.value = null
})

export async function readMe(): Promise<void> {
  me.value = await get<Account>('/accounts/me')
}
