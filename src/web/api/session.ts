import { signal } from '@preact/signals'
import { bodyOf, exchange, Problem } from './http.ts'
import { keepToken, keptToken } from './token-store.ts'
import type { Refresh, Tokens } from './wire.ts'

// The refresh token outlives the page (`vault.ts`), where a script injected into this origin could read it; the CSP admits
// none, each token works once, and a late replay ends the login. The access token never leaves this module's memory.
const LOCK = 'socialconnect.refresh'

type Session = Tokens['account']

/** Who is logged in here: `undefined` until it is known, `null` for nobody. */
export const session = signal<Session | null | undefined>(undefined)

/** Why the last session ended without being asked to. */
export const farewell = signal('')

let accessToken: string | null = null
let refreshing: Promise<void> | null = null
const leaving: (() => void)[] = []

export const bearer = (): Record<string, string> => (accessToken ? { authorization: `Bearer ${accessToken}` } : {})

/** Registers what to forget when another account, or nobody, takes over. */
export function onAccountChange(forget: () => void): void {
  leaving.push(forget)
}

export async function begin(tokens: Tokens): Promise<void> {
  await keepToken(tokens.refreshToken)
  accessToken = tokens.accessToken
  farewell.value = ''
  become(tokens.account)
}

/** Forgets the login, here and in the other tabs. */
export async function end(reason = ''): Promise<void> {
  await keepToken(undefined)
  otherTabs.postMessage('ended')
  leave(reason)
}

function leave(reason: string): void {
  accessToken = null
  farewell.value = reason
  become(null)
}

const otherTabs = new BroadcastChannel('socialconnect.session')
otherTabs.onmessage = () => leave('')

function become(account: Session | null): void {
  if (session.value !== undefined && session.value?.id === account?.id) return
  for (const forget of leaving) forget()
  session.value = account
}

/** Resumes the login that this browser remembers, if there is one. */
export async function resume(): Promise<void> {
  if (await keptToken()) await refresh()
  else become(null)
}

/** Gets fresh tokens. Requests that need them meanwhile share the attempt; other tabs wait for their turn. */
export function refresh(): Promise<void> {
  refreshing ??= inTurn(rotate).finally(() => {
    refreshing = null
  })
  return refreshing
}

async function rotate(): Promise<void> {
  const refreshToken = await keptToken()
  if (!refreshToken) return leave('')
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ refreshToken } satisfies Refresh)
  const answer = await exchange({ method: 'POST', path: '/auth/refresh', headers, body })
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
    return end('Your session has ended. Please log in again.')
  }
  await begin(bodyOf<Tokens>(answer))
}

// A refresh token works once: tabs that rotate the same one would race for the answer, which is given again for half a minute only.
function inTurn(work: () => Promise<void>): Promise<void> {
  return navigator.locks ? navigator.locks.request(LOCK, work) : work()
}

export const isSignedOut = (error: unknown) => error instanceof Problem && error.status === 401
