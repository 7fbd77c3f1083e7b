import { fetchInTime } from '../fetch-in-time.ts'

type Answer<T> = { status: number; body: T; headers: Headers }

const TIMEOUT_MS = 15_000

type Sent = { json?: unknown; form?: FormData; idempotencyKey?: string }

/** A client of the API. */
export type Caller = {
  name: string
  url: string
  token: string | null
  /** How many requests the rate limit has admitted, and when the first one was sent. */
  admitted: number
  firstAt: number | null
  /** Calls an operation and accepts any status. */
  ask: <T>(method: string, path: string, sent?: Sent) => Promise<Answer<T>>
  /** Calls an operation and throws unless the response has this status. */
  call: <T>(method: string, path: string, status: number, sent?: Sent) => Promise<Answer<T>>
}

export function makeCaller(url: string, name: string): Caller {
  let bookmarks: string | null = null
  const caller: Caller = {
    name,
    url,
    token: null,
    admitted: 0,
    firstAt: null,
    async ask<T>(method: string, path: string, { json, form, idempotencyKey }: Sent = {}) {
      const headers = new Headers()
      if (caller.token) headers.set('authorization', `Bearer ${caller.token}`)
      if (json !== undefined) headers.set('content-type', 'application/json')
      if (idempotencyKey) headers.set('idempotency-key', idempotencyKey)
      // The bookmarks of the last response, sent back so that we read our own writes.
      if (bookmarks) headers.set('x-bookmarks', bookmarks)
      caller.firstAt ??= performance.now()
      const body = form ?? JSON.stringify(json)
      const response = await fetchInTime(`${url}/v1${path}`, { method, headers, body }, TIMEOUT_MS)
      bookmarks = response.headers.get('x-bookmarks') ?? bookmarks
      if (response.status !== 429) caller.admitted += 1
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      const content = isJson ? await response.json() : await response.text()
      return { status: response.status, body: content as T, headers: response.headers }
    },
    async call<T>(method: string, path: string, status: number, sent?: Sent) {
      const answer = await caller.ask<T>(method, path, sent)
      if (answer.status === status) return answer
      const content = JSON.stringify(answer.body).slice(0, 500)
      throw new Error(`${method} ${path} by ${name} answered ${answer.status} instead of ${status}: ${content}`)
    },
  }
  return caller
}
