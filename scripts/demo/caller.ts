type Answer<T> = { status: number; body: T; headers: Headers }

const QUERY_TIMEOUT_MS = 15_000

type Sent = { json?: unknown; form?: FormData; idempotencyKey?: string }

/** Somebody who calls the API. */
export type Caller = {
  name: string
  url: string
  /** The access token, once there is one. */
  token: string | null
  /** How many of this caller's requests were let in since the first of them, and when that was. */
  admitted: number
  firstAt: number | null
  /** Calls an operation; any answer will do. */
  ask: <T>(method: string, path: string, sent?: Sent) => Promise<Answer<T>>
  /** Calls an operation that has to answer with `status`. */
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
      // What our last write answered with: sent along, so that we always read our own writes.
      if (bookmarks) headers.set('x-bookmarks', bookmarks)
      caller.firstAt ??= performance.now()
      const body = form ?? JSON.stringify(json)
      const response = await fetch(`${url}/v1${path}`, {
        method,
        headers,
        body,
        signal: AbortSignal.timeout(QUERY_TIMEOUT_MS),
      })
      bookmarks = response.headers.get('x-bookmarks') ?? bookmarks
      if (response.status !== 429) caller.admitted += 1
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      const said = isJson ? await response.json() : await response.text()
      return { status: response.status, body: said as T, headers: response.headers }
    },
    async call<T>(method: string, path: string, status: number, sent?: Sent) {
      const answer = await caller.ask<T>(method, path, sent)
      if (answer.status === status) return answer
      const said = JSON.stringify(answer.body).slice(0, 500)
      throw new Error(`${method} ${path} by ${name} answered ${answer.status} instead of ${status}: ${said}`)
    },
  }
  return caller
}
