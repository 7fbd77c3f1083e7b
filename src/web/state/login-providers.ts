import { signal } from '@preact/signals'
import type { LoginProviders } from '../../client/wire.ts'
import { client } from '../api/client.ts'

export type LoginProvider = LoginProviders['items'][number]

/** Where people can log in. Empty until they are loaded: everything works without them. */
export const loginProviders = signal<LoginProvider[]>([])

let loading: Promise<void> | null = null

export function loadProviders(): Promise<void> {
  loading ??= client.listLoginProviders().then(
    ({ items }) => {
      loginProviders.value = items
    },
    () => {
      loading = null
    },
  )
  return loading
}
