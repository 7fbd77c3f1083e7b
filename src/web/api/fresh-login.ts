import { signal } from '@preact/signals'
import { Cancelled } from './errors.ts'
import { onAccountChange } from './session.ts'

type PasswordRequest = { resolve: () => void; reject: (reason: Cancelled) => void }

/** Set while an operation waits for the user to enter the password again. A dialog answers it. */
export const passwordRequest = signal<PasswordRequest | null>(null)

// The password of one account must not confirm what another one has asked for.
onAccountChange(() => passwordRequest.value?.reject(new Cancelled()))

let pending: Promise<void> | null = null

/** Resolves once the user has confirmed the password; rejects with `Cancelled`. Concurrent calls share one dialog. */
export function askForPassword(): Promise<void> {
  pending ??= new Promise<void>((resolve, reject) => {
    passwordRequest.value = { resolve, reject }
  }).finally(() => {
    pending = null
    passwordRequest.value = null
  })
  return pending
}
