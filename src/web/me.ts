import { signal } from '@preact/signals'
import { get } from './api.ts'
import { onAccountChange } from './session.ts'
import type { Account } from './wire.ts'

/** The account that is logged in. */
export const me = signal<Account | null>(null)
onAccountChange(() => {
  me.value = null
})

export async function readMe(): Promise<void> {
  me.value = await get<Account>('/accounts/me')
}
