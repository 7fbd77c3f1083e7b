import { signal } from '@preact/signals'
import type { RegistrationRules } from '../../client/wire.ts'
import { client } from '../api/client.ts'

/** How to register here. These are defaults until the rules of the server are loaded. */
export const registrationRules = signal<RegistrationRules>({
  mode: 'open',
  termsVersion: null,
  termsUrl: null,
  turnstileSiteKey: null,
  minPasswordLength: 15,
})

let loading: Promise<void> | null = null

/** Loads the rules once. A failure is thrown, and the next call tries again. */
export function loadRules(): Promise<void> {
  loading ??= client.readRegistration().then(
    (rules) => {
      registrationRules.value = rules
    },
    (error: unknown) => {
      loading = null
      throw error
    },
  )
  return loading
}
