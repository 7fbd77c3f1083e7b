import { ApiError, endsLogin, isCode } from './errors.ts'
import type { ClientOptions, TokenStore } from './options.ts'
import { within } from './wait.ts'
import type { Tokens } from './wire.ts'

type Renew = (refreshToken: string) => Promise<Tokens>
type Lock = NonNullable<ClientOptions['lock']>

/** The longest wait for a change of the tokens that another call or client has started. */
const TURN_MS = 30_000
const REPLACE_MS = 25_000

export function memoryStore(refreshToken?: string): TokenStore {
  let kept = refreshToken
  return {
    load: () => kept,
    save: (token) => {
      kept = token
    },
  }
}

/**
 * The login of a client: gets, keeps and renews its tokens. The state in memory changes at once, and each change of the
 * account raises the epoch. The store changes in turns, and only while the epoch of the change is the current one.
 */
export class Session {
  readonly #options: ClientOptions
  readonly #store: TokenStore
  readonly #lock: Lock
  readonly #renew: Renew
  #access: string | undefined
  #accountId: string | undefined
  #isResumed = false
  #running: Promise<unknown> | undefined
  /** What the store contains, as far as this client knows. */
  #stored: string | undefined
  #unsaved: { token: string; instead: string | undefined } | undefined
  #epoch = 0

  /** `renew` exchanges a refresh token for new tokens, within the time that the server repeats its answer. */
  constructor(options: ClientOptions, renew: Renew) {
    const { store, origin } = options
    this.#options = options
    this.#store = store ?? memoryStore()
    this.#lock = options.lock ?? (store && lockOf(origin)) ?? ((work) => work())
    this.#renew = renew
  }

  /** Whether tokens are renewed here, instead of coming from `credential`. */
  get isOwn(): boolean {
    return this.#options.credential === undefined
  }

  /** Rises when another account logs in, or none is logged in any more. */
  get epoch(): number {
    return this.#epoch
  }

  /** Throws if the account has changed since `epoch`. */
  check(epoch: number): void {
    if (epoch !== this.#epoch) throw ended()
  }

  /** The token for the next request; undefined if nobody is logged in. */
  async token(): Promise<string | undefined> {
    const { credential } = this.#options
    if (credential !== undefined) return typeof credential === 'string' ? credential : credential()
    if (this.#access === undefined && !this.#isResumed) await this.resume()
    return this.#access
  }

  /** The token that replaces one that the server has rejected. Throws if the login has ended meanwhile. */
  async replacement(rejected: string): Promise<string> {
    if (this.#access === rejected) await this.refresh()
    if (this.#access === undefined) throw ended()
    return this.#access
  }

  async start(tokens: Tokens): Promise<void> {
    if (this.#accountId !== tokens.account.id) this.#epoch += 1
    const epoch = this.#epoch
    this.#hold(tokens)
    await this.#lock(async () => {
      if (epoch === this.#epoch) await this.#save(tokens)
    })
  }

  /** Drops the tokens of this client. Those in the store stay. */
  async forget(error?: ApiError): Promise<void> {
    this.#epoch += 1
    this.#hold()
    await this.#options.onSessionEnd?.(error)
  }

  /** Ends the login here and in the store. The login of another account that another client has stored stays. */
  async end(error?: ApiError): Promise<void> {
    const accountId = this.#accountId
    this.#epoch += 1
    this.#hold()
    await this.#lock(async () => {
      if (await this.#isOfAnother(accountId)) await this.#options.onSessionEnd?.(error)
      else await this.#delete(error)
    })
  }

  /** Continues the stored login. Returns whether there is one. */
  async resume(): Promise<boolean> {
    if ((await this.#load()) === undefined) this.#isResumed = true
    else await this.refresh().catch(unlessEnded)
    return this.#access !== undefined
  }

  /** Gets new tokens. Concurrent calls share one request. */
  async refresh(): Promise<void> {
    if (!this.#running) void this.#inTurn(() => this.#rotate(), false)
    const running = this.#running
    // In a Worker, the promise of a request that has ended never settles.
    await within(TURN_MS, async () => running).catch((error: unknown) => {
      if (this.#running === running) this.#running = undefined
      throw error
    })
  }

  /** Replaces the tokens by those that `request` gets. Other calls wait before they use the refresh token. */
  async replace<T extends Tokens>(request: (access: string | undefined) => Promise<T>): Promise<T> {
    const epoch = this.#epoch
    await this.refresh()
    return this.#inTurn(async () => {
      this.check(epoch)
      const tokens = await within(REPLACE_MS, () => request(this.#access))
      this.check(epoch)
      this.#hold(tokens)
      await this.#save(tokens)
      return tokens
    }, true)
  }

  async #rotate(): Promise<void> {
    const epoch = this.#epoch
    const token = await this.#load()
    if (epoch !== this.#epoch) return
    if (token === undefined) return this.forget()
    const outcome = await this.#renew(token).catch((cause: unknown) => {
      if (endsLogin(cause)) return ended(cause)
      throw cause
    })
    const isRefused = outcome instanceof ApiError
    const stored = await this.#load()
    if (epoch !== this.#epoch) return
    if (stored !== token && (isRefused || stored !== outcome.refreshToken)) return this.#rotate()
    const isOther = this.#accountId !== undefined && (isRefused || this.#accountId !== outcome.account.id)
    if (isOther) this.#epoch += 1
    this.#hold(isRefused ? undefined : outcome)
    if (!isRefused) return this.#save(outcome)
    await this.#delete(outcome)
    throw outcome
  }

  #hold(tokens?: Tokens): void {
    this.#access = tokens?.accessToken
    this.#accountId = tokens?.account.id
    this.#isResumed = true
  }

  /** Whether the store has the login of another account. Only new tokens tell to whom an unknown token belongs. */
  async #isOfAnother(accountId: string | undefined): Promise<boolean> {
    const known = this.#stored
    const token = await this.#load()
    if (token === undefined || token === known || accountId === undefined) return false
    const tokens = await this.#renew(token).catch(() => undefined)
    if (!tokens || tokens.account.id === accountId) return false
    await this.#store.save(tokens.refreshToken)
    return true
  }

  /** The stored token, or the newer one that the store has failed to save instead. */
  async #load(): Promise<string | undefined> {
    this.#stored = await this.#store.load()
    return this.#unsaved?.instead === this.#stored ? (this.#unsaved?.token ?? this.#stored) : this.#stored
  }

  async #save(tokens: Tokens): Promise<void> {
    const { refreshToken: token } = tokens
    try {
      this.#unsaved = { token, instead: this.#stored }
      await this.#store.save(token)
      this.#stored = token
      this.#unsaved = undefined
    } finally {
      await this.#options.onTokens?.(tokens)
    }
  }

  async #delete(error?: ApiError): Promise<void> {
    this.#unsaved = undefined
    try {
      await this.#store.save(undefined)
    } finally {
      await this.#options.onSessionEnd?.(error)
    }
  }

  /** Runs one change of the tokens at a time, and those who need new tokens wait for it. They fail with it unless `alone`. */
  #inTurn<T>(work: () => Promise<T>, alone: boolean): Promise<T> {
    const run = this.#lock(work)
    const running = (alone ? run.catch(() => {}) : run).finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return run
  }
}

const ended = (cause?: unknown) =>
  new ApiError({ status: 401, code: 'session_ended', title: 'The login has ended', cause })

function unlessEnded(error: unknown): void {
  if (!isCode(error, 'session_ended')) throw error
}

type Locks = { request: <T>(name: string, work: () => Promise<T>) => Promise<T> }

/** Tabs of a browser take turns. `navigator.locks` does not exist on insecure origins. */
function lockOf(origin: string): Lock | undefined {
  const { navigator } = globalThis as { navigator?: { locks?: Locks } }
  const locks = navigator?.locks
  return locks && ((work) => locks.request(`socialconnect.refresh ${origin}`, work))
}
