import { createBookmarks } from './bookmarks.ts'
import { type ApiError, isCode } from './errors.ts'
import { type Operations, operations } from './operations.ts'
import type { CallOptions, ClientOptions } from './options.ts'
import { type ApiRequest, exchange, type Operation, parseOperation, requestOf } from './request.ts'
import { createSession, memoryStore, type Session } from './session.ts'
import { inTime, retrying, sleep } from './wait.ts'
import type { Tokens } from './wire.ts'

type Name = keyof Operations

/** Calls operations. Everything else in the client is built on this. */
export type Calls = {
  call: <N extends Name>(
    name: N,
    input: Operations[N]['input'],
    options?: CallOptions,
  ) => Promise<Operations[N]['output']>
  session: Session
  bookmarks: () => string
}

export type Waits = Required<Pick<ClientOptions, 'sleep' | 'random' | 'retries' | 'maxRetryAfter'>>

export function waitsOf(options: ClientOptions): Waits {
  return { sleep, random: Math.random, retries: 3, maxRetryAfter: 60, ...defined(options) }
}

const defined = (options: ClientOptions) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

export function createCalls(options: ClientOptions): Calls {
  const { origin, store, onFreshLoginRequired } = options
  const waits = waitsOf(options)
  const bookmarks = createBookmarks()
  bookmarks.remember(options.bookmarks)
  const session = createSession({
    ...options,
    store: store ?? memoryStore(),
    lock: options.lock ?? (store && lockOf(origin)),
    renew,
  })

  /** Sends a request once. */
  async function send(
    request: ApiRequest,
    { signal, idempotencyKey, fetch = options.fetch }: CallOptions,
    token?: string,
  ) {
    const { method, path, body, isFile } = request
    const headers = headersOf({
      authorization: token && `Bearer ${token}`,
      'content-type': typeof body === 'string' && 'application/json',
      'idempotency-key': idempotencyKey,
      'x-bookmarks': bookmarks.header(),
    })
    const init = { method, headers, body, signal }
    const { response, body: result } = await exchange(fetch ?? globalFetch, `${origin}${path}`, init, isFile)
    bookmarks.remember(response.headers.get('x-bookmarks'))
    return result
  }

  /** Sends a request with the token of the login, and once more with a new token if that has expired. */
  async function sendAuthorized(request: ApiRequest, own: CallOptions): Promise<unknown> {
    const token = await inTime(session.token(), own.signal)
    const epoch = session.epoch()
    try {
      return await send(request, own, token)
    } catch (error) {
      if (token === undefined || !session.isOwn || !isExpired(error)) throw error
      const replacement = await inTime(session.replacement(token), own.signal)
      // Never repeat as another account what this one asked for.
      if (replacement === undefined || epoch !== session.epoch()) throw error
      return send(request, own, replacement)
    }
  }

  async function sendFresh(request: ApiRequest, own: CallOptions, repeats: number): Promise<unknown> {
    const attempt = () => retrying(() => sendAuthorized(request, own), repeats, waits, own.signal)
    return attempt().catch(async (error: unknown) => {
      if (!onFreshLoginRequired || !isCode(error, 'fresh_login_required')) throw error
      await onFreshLoginRequired()
      return attempt()
    })
  }

  // Repeating a refresh is safe: for 30 seconds, the server answers a used token with the same new ones.
  function renew(refreshToken: string): Promise<Tokens> {
    const request = requestOf(operationOf('refreshLogin'), { refreshToken })
    return retrying(() => send(request, {}), waits.retries, waits) as Promise<Tokens>
  }

  async function run(operation: Operation, input: object, own: CallOptions): Promise<unknown> {
    const { traits } = operation
    const request = requestOf(operation, input)
    if (!session.isOwn) return sendFresh(request, own, repeatsOf(operation, own))
    if (traits.includes('user')) return session.replace((token) => send(request, own, token) as Promise<Tokens>)
    const result = await sendFresh(request, own, repeatsOf(operation, own))
    if (traits.includes('tokens')) await session.start(result as Tokens)
    if (traits.includes('ends')) await session.end()
    return result
  }

  const repeatsOf = ({ method }: Operation, { idempotencyKey, retries = waits.retries }: CallOptions): number =>
    ['GET', 'PUT', 'DELETE'].includes(method) || idempotencyKey !== undefined ? retries : 0

  return {
    session,
    bookmarks: bookmarks.header,
    call: async <N extends Name>(name: N, input: Operations[N]['input'], own: CallOptions = {}) => {
      const operation = operationOf(name)
      const idempotencyKey = own.idempotencyKey ?? (operation.traits.includes('key') ? randomKey() : undefined)
      return (await run(operation, input, { ...own, idempotencyKey })) as Operations[N]['output']
    },
  }
}

const operationOf = (name: Name) => parseOperation(operations[name])

const isExpired = (error: unknown): error is ApiError => isCode(error, 'unauthorized') && error.status === 401

const globalFetch: NonNullable<ClientOptions['fetch']> = (url, init) => fetch(url, init)

const headersOf = (headers: Record<string, string | false | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value ? [[name, value]] : [])))

// crypto.randomUUID exists only in secure contexts, and a page served over HTTP in a local network has none.
const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

type Locks = { request: <T>(name: string, work: () => Promise<T>) => Promise<T> }

/** Tabs of a browser take turns. `navigator.locks` does not exist on insecure origins. */
function lockOf(origin: string): ClientOptions['lock'] {
  const { navigator } = globalThis as { navigator?: { locks?: Locks } }
  const locks = navigator?.locks
  return locks && ((work) => locks.request(`socialconnect.refresh ${origin}`, work))
}
