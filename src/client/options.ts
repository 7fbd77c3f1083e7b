import type { ApiError } from './errors.ts'
import type { Tokens } from './wire.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** What the client needs of a WebSocket. */
export type Socket = {
  readonly readyState: number
  send(text: string): void
  close(): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void
  addEventListener(type: 'error', listener: () => void): void
}

/** Keeps the refresh token of a login. A token can be used once, so all who share a login must share its store. */
export type TokenStore = {
  load: () => Promise<string | undefined> | string | undefined
  /** Stores the token, or deletes the stored one. When this resolves, `load` must return the new state everywhere. */
  save: (refreshToken: string | undefined) => Promise<void> | void
}

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

export type ClientOptions = {
  /** Where the API is, such as `https://social.example`. */
  origin: string
  /** An OAuth access token or an API key, or a function that returns one. Without it, the client uses logins. */
  credential?: string | (() => Promise<string> | string)
  /** Where the refresh token is kept; in memory by default. */
  store?: TokenStore
  /** Runs one change of `store` at a time among all who share it. By default `navigator.locks`, if there is a store. */
  lock?: <T>(work: () => Promise<T>) => Promise<T>
  /** Called with the tokens of each login and each refresh, before the call that got them returns. Must not wait for one. */
  onTokens?: (tokens: Tokens) => Promise<void> | void
  /** Called when the login has ended: with the error if the server ended it, without one after a logout. */
  onSessionEnd?: (error?: ApiError) => Promise<void> | void
  /** Confirms the login, usually with `confirmLogin`, when an operation requires a fresh one. Then it is repeated. */
  onFreshLoginRequired?: () => Promise<void>
  /** The `X-Bookmarks` of an earlier client, so that this one sees its writes. */
  bookmarks?: string
  /** How often a safe or idempotent request is repeated after a failure that may pass; 3 by default. */
  retries?: number
  /** The longest `Retry-After` that the client waits for, in seconds; 60 by default. Above it, the error is thrown. */
  maxRetryAfter?: number
  fetch?: Fetch
  WebSocket?: new (url: string) => Socket
  /** Waits; tests replace it. It must reject with the reason of `signal` once that is aborted. */
  sleep?: Sleep
  /** From 0 to 1; tests replace it. */
  random?: () => number
}

/** `retries` and `fetch` override those of the client. */
export type CallOptions = {
  signal?: AbortSignal
  /** Repeated calls with the same key create one thing. By default, each call has its own key. Only where the API accepts keys. */
  idempotencyKey?: string
  retries?: number
  fetch?: Fetch
}
