import { signal } from '@preact/signals'
import type { Refresh, Tokens } from '../../client/wire.ts'
import { parseBody, send } from './http.ts'
import { loadToken, saveToken } from './token-store.ts'

// The refresh token is stored (token-store.ts), so a script that is injected into this origin could read it. But the
// CSP blocks such scripts, a token works once, and reuse after 30 s ends the session. The access token is not stored.
const REFRESH_LOCK = 'socialconnect.refresh'

type Session = Tokens['account']

/** The logged-in account: `undefined` until it is known, `null` when logged out. */
export const session = signal<Session | null | undefined>(undefined)

/** Why the last session ended, unless the user logged out. */
export const logoutReason = signal('')

let accessToken: string | null = null
let refreshing: Promise<void> | null = null
const resetHandlers: (() => void)[] = []

export const authHeader = (): Record<string, string> => (accessToken ? { authorization: `Bearer ${accessToken}` } : {})

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

export async function startSession(tokens: Tokens): Promise<void> {
  await saveToken('refresh', tokens.refreshToken)
  await rememberDevice(tokens, tokens.account.handle)
  accessToken = tokens.accessToken
  logoutReason.value = ''
  setSession(tokens.account)
}

/** Ends the session in this tab and in all others. */
export async function endSession(reason = ''): Promise<void> {
  await saveToken('refresh', undefined)
  otherTabs.postMessage('ended')
  clearSession(reason)
}

function clearSession(reason: string): void {
  accessToken = null
  logoutReason.value = reason
  setSession(null)
}

/** Like `clearSession`, but keeps the reason if the session has ended here already. */
function forget(reason: string): void {
  if (session.value !== null) clearSession(reason)
}

const otherTabs = new BroadcastChannel('socialconnect.session')
otherTabs.onmessage = () => clearSession('')

function setSession(account: Session | null): void {
  if (session.value !== undefined && session.value?.id === account?.id) {
    if (session.value?.handle !== account?.handle) session.value = account
    return
  }
  for (const reset of resetHandlers) reset()
  session.value = account
}

/** Resumes the stored session, if there is one. */
export async function resumeSession(): Promise<void> {
  if (await loadToken('refresh')) await refreshSession()
  else setSession(null)
}

/** Gets new tokens. Concurrent calls in this tab share one attempt; tabs take turns if `navigator.locks` exists. */
export function refreshSession(): Promise<void> {
  refreshing ??= withLock(rotateTokens).finally(() => {
    refreshing = null
  })
  return refreshing
}

/** Replaces the tokens with those that `request` gets. Other tabs must not use the old ones while the server ends them. */
export async function replaceTokens(request: () => Promise<Tokens>): Promise<void> {
  await refreshSession()
  refreshing = withLock(async () => startSession(await request())).finally(() => {
    refreshing = null
  })
  return refreshing
}

async function rotateTokens(): Promise<void> {
  const refreshToken = await loadToken('refresh')
  if (!refreshToken) return forget('')
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ refreshToken } satisfies Refresh)
  const response = await send({ method: 'POST', path: '/auth/refresh', headers, body })
  if (response.status >= 400 && response.status < 500 && response.status !== 429) {
    await saveToken('refresh', undefined)
    otherTabs.postMessage('ended')
    return forget('Your session has expired. Please log in again.')
  }
  await startSession(parseBody<Tokens>(response))
}

// A refresh token works once, so tabs use it in turns. `navigator.locks` does not exist on insecure origins.
function withLock(work: () => Promise<void>): Promise<void> {
  return navigator.locks ? navigator.locks.request(REFRESH_LOCK, work) : work()
}
