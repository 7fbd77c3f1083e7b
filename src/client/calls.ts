import { Bookmarks } from './bookmarks.ts'
import { isCode, isUncertain } from './errors.ts'
import { type Operations, operations } from './operations.ts'
import type { CallOptions, ClientOptions, Fetch } from './options.ts'
import { type ApiRequest, exchange, type Operation, parseOperation, requestOf } from './request.ts'
import { Session } from './session.ts'
import { inTime, retrying, sleep, type Waits, within } from './wait.ts'
import type { Tokens } from './wire.ts'

/** The server repeats the answer to a refresh for 30 s, and takes a later repetition for a theft. */
const REFRESH_MS = 25_000
const ATTEMPT_MS = 8_000
const REFRESH_PAUSE_S = 10

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
      const waits = { ...this.waits, maxRetryAfter: Math.min(maxRetryAfter, REFRESH_PAUSE_S) }
      const attempt = () => within(ATTEMPT_MS, (signal) => this.#send<Tokens>(request, { signal }))
      return within(REFRESH_MS, (signal) => retrying(attempt, this.#retries({}), waits, signal))
    })
  }

  /** A call belongs to the account that is logged in when it starts. It rejects once that changes. */
  async call<T>(name: Name, input: object, own: CallOptions = {}): Promise<T> {
    const { session } = this
    const { epoch } = session
    const operation = operationOf(name)
    const { traits } = operation
    const request = requestOf(operation, input)
    const acceptsKey = traits.includes('key')
    if (own.idempotencyKey !== undefined && !acceptsKey) throw new TypeError(`${name} accepts no idempotency key`)
    const options = { ...own, idempotencyKey: acceptsKey ? (own.idempotencyKey ?? randomKey()) : undefined }
    if (session.isOwn && traits.includes('renews')) {
      const renew = () => session.replace((token) => this.#send<T & Tokens>(request, options, token))
      return this.#withFresh<T>(renew, options)
    }
    const end = async () => {
      if (session.isOwn && epoch === session.epoch) await session.end()
    }
    const result = await this.#sendFresh<T>(operation, request, options, epoch).catch(async (error: unknown) => {
      if (name === 'logOut') await end()
      throw error
    })
    if (session.isOwn && isTokens(result)) await session.start(result)
    if (traits.includes('ends')) await end()
    return result
  }

  async #sendFresh<T>(operation: Operation, request: ApiRequest, own: CallOptions, epoch: number): Promise<T> {
    return this.#withFresh(() => this.#sendAuthorized<T>(operation, request, own, epoch), own)
  }

  async #withFresh<T>(attempt: () => Promise<T>, own: CallOptions): Promise<T> {
    const { onFreshLoginRequired } = this.options
    return attempt().catch(async (error: unknown) => {
      if (!onFreshLoginRequired || !isCode(error, 'fresh_login_required')) throw error
      await inTime(onFreshLoginRequired(), own.signal)
      return attempt()
    })
  }

  /** Sends a request with the token of the login, and once more with a new token if that has expired. */
  async #sendAuthorized<T>(operation: Operation, request: ApiRequest, own: CallOptions, epoch: number): Promise<T> {
    const { session } = this
    if (operation.traits.includes('open')) return this.#repeat(operation, own, () => this.#send<T>(request, own))
    const token = await inTime(session.token(), own.signal)
    const sendWith = (access?: string) =>
      this.#repeat(operation, own, async () => {
        if (access !== undefined) session.check(epoch)
        return this.#send<T>(request, own, access)
      })
    session.check(epoch)
    if (token === undefined || !session.isOwn) return sendWith(token)
    const result = await sendWith(token).catch(async (error: unknown) => {
      if (!isCode(error, 'unauthorized')) throw error
      return sendWith(await inTime(session.replacement(token), own.signal))
    })
    if (!operation.traits.includes('ends')) session.check(epoch)
    return result
  }

  /** Repeats what is safe to repeat. */
  #repeat<T>({ method }: Operation, own: CallOptions, send: () => Promise<T>): Promise<T> {
    const isSafe = ['GET', 'PUT', 'DELETE'].includes(method) || own.idempotencyKey !== undefined
    let mayBeDone = false
    const attempt = () =>
      send().catch((error: unknown) => {
        // The first answer was lost, and what it deleted is gone.
        if (mayBeDone && isCode(error, 'not_found')) return undefined as T
        mayBeDone ||= method === 'DELETE' && isUncertain(error)
        throw error
      })
    return retrying(attempt, isSafe ? this.#retries(own) : 0, this.waits, own.signal)
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
