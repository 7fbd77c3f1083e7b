import { signal } from '@preact/signals'
import type { Tokens } from '../../client/client.ts'
import { saveToken } from './token-store.ts'

type Session = Tokens['account']

/** The logged-in account: `undefined` until it is known, `null` when logged out. */
export const session = signal<Session | null | undefined>(undefined)

/** Whether the account is suspended, so that it can only be exported and deleted. */
export const suspended = signal(false)

/** Why the last session ended, unless the user logged out. */
export const logoutReason = signal('')

const resetHandlers: (() => void)[] = []

let generation = 0

/** Returns a function that says whether the account is still the same as now. Ask it before you store what has arrived. */
export function sameAccount(): () => boolean {
  const then = generation
  return () => then === generation
}

/** Registers a function that clears state of the previous account. It is called when the account changes. */
export function onAccountChange(reset: () => void): void {
  resetHandlers.push(reset)
}

/** Stores the proof that `name` has logged in here. It outlives the login, so that others’ guesses never lock us out. */
export async function rememberDevice({ deviceToken }: Tokens, name: string): Promise<void> {
  await saveToken(`device:${name}`, deviceToken)
  await saveToken('device', deviceToken)
}

/** The handle of the account has changed. */
export function renameSession(handle: string): void {
  if (session.value) session.value = { ...session.value, handle }
}

export async function showLogin(tokens: Tokens): Promise<void> {
  await rememberDevice(tokens, tokens.account.handle)
  logoutReason.value = ''
  suspended.value = tokens.suspended ?? false
  setSession(tokens.account)
}

/** Keeps the reason if the session has ended here already. */
export function showLogout(reason: string): void {
  if (session.value === null) return
  logoutReason.value = reason
  setSession(null)
}

function setSession(account: Session | null): void {
  if (session.value !== undefined && session.value?.id === account?.id) {
    if (session.value?.handle !== account?.handle) session.value = account
    return
  }
  generation += 1
  for (const reset of resetHandlers) reset()
  session.value = account
}
