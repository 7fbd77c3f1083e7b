import { Bookmarks } from './bookmarks.ts'
import { isCode } from './errors.ts'
import { type Operations, operations } from './operations.ts'
import type { CallOptions, ClientOptions, Fetch } from './options.ts'
import { type ApiRequest, exchange, type Operation, parseOperation, requestOf } from './request.ts'
import { Session } from './session.ts'
import { inTime, retrying, sleep, type Waits } from './wait.ts'
import type { Tokens } from './wire.ts'

export type Name = keyof Operations

/** Calls operations. Everything else in the client is built on this. */
export class Calls {
  readonly options: ClientOptions
  readonly waits: Waits
  readonly bookmarks = new Bookmarks()
  readonly session: Session

  constructor(options: ClientOptions) {
    const { sleep: wait = sleep, random = Math.random, maxRetryAfter = 60 } = options
    this.options = options
    this.waits = { sleep: wait, random, maxRetryAfter }
    this.bookmarks.remember(options.bookmarks)
    // Repeating a refresh is safe: for 30 seconds, the server answers a used token with the same new ones.
    this.session = new Session(options, (refreshToken) => {
      const request = requestOf(operationOf('refreshLogin'), { refreshToken })
      return retrying(() => this.#send<Tokens>(request, {}), this.#retries({}), this.waits)
    })
  }

  async call<T>(name: Name, input: object, own: CallOptions = {}): Promise<T> {
    const { session } = this
    const operation = operationOf(name)
    const request = requestOf(operation, input)
    const idempotencyKey = own.idempotencyKey ?? (operation.traits.includes('key') ? randomKey() : undefined)
    const options = { ...own, idempotencyKey }
    if (!session.isOwn) return this.#sendFresh<T>(operation, request, options)
    if (operation.traits.includes('renews'))
      return session.replace((token) => this.#send<T & Tokens>(request, options, token))
    const result = await this.#sendFresh<T>(operation, request, options)
    if (isTokens(result)) await session.start(result)
    if (operation.traits.includes('ends')) await session.end()
    return result
  }

  async #sendFresh<T>(operation: Operation, request: ApiRequest, own: CallOptions): Promise<T> {
    const { onFreshLoginRequired } = this.options
    const isSafe = ['GET', 'PUT', 'DELETE'].includes(operation.method) || own.idempotencyKey !== undefined
    const attempt = () =>
      retrying(() => this.#sendAuthorized<T>(request, own), isSafe ? this.#retries(own) : 0, this.waits, own.signal)
    return attempt().catch(async (error: unknown) => {
      if (!onFreshLoginRequired || !isCode(error, 'fresh_login_required')) throw error
      await inTime(onFreshLoginRequired(), own.signal)
      return attempt()
    })
  }

  /** Sends a request with the token of the login, and once more with a new token if that has expired. */
  async #sendAuthorized<T>(request: ApiRequest, own: CallOptions): Promise<T> {
    const { session } = this
    const token = await inTime(session.token(), own.signal)
    const { epoch } = session
    return this.#send<T>(request, own, token).catch(async (error: unknown) => {
      if (token === undefined || !session.isOwn || !isCode(error, 'unauthorized')) throw error
      const replacement = await inTime(session.replacement(token), own.signal)
      // Never repeat as another account what this one asked for.
      if (replacement === undefined || epoch !== session.epoch) throw error
      return this.#send<T>(request, own, replacement)
    })
  }

  async #send<T>(request: ApiRequest, own: CallOptions, token?: string): Promise<T> {
    const { method, path, body, isFile } = request
    const { signal, idempotencyKey, fetch = this.options.fetch ?? globalFetch } = own
    const headers = present({
      authorization: token && `Bearer ${token}`,
      'content-type': typeof body === 'string' && 'application/json',
      'idempotency-key': idempotencyKey,
      'x-bookmarks': this.bookmarks.header(),
    })
    const init = { method, headers, body, signal }
    const { response, body: result } = await exchange(fetch, `${this.options.origin}${path}`, init, isFile)
    this.bookmarks.remember(response.headers.get('x-bookmarks'))
    return result as T
  }

  #retries({ retries = this.options.retries ?? 3 }: CallOptions): number {
    return retries
  }
}

const operationOf = (name: Name) => parseOperation(operations[name])

const isTokens = (result: unknown): result is Tokens =>
  typeof result === 'object' && result !== null && 'refreshToken' in result

const globalFetch: Fetch = (url, init) => fetch(url, init)

const present = (headers: Record<string, string | false | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value ? [[name, value]] : [])))

// crypto.randomUUID exists only in secure contexts, and a page served over HTTP in a local network has none.
const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
