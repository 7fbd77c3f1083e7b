import { ApiError, isCode, isRefusal } from './errors.ts'
import type { ClientOptions, TokenStore } from './options.ts'
import type { Tokens } from './wire.ts'

type Renew = (refreshToken: string) => Promise<Tokens>
type Lock = NonNullable<ClientOptions['lock']>

export function memoryStore(refreshToken?: string): TokenStore {
  let kept = refreshToken
  return {
    load: () => kept,
    save: (token) => {
      kept = token
    },
  }
}

/** The login of a client: gets, keeps and renews its tokens. */
export class Session {
  readonly #options: ClientOptions
  readonly #store: TokenStore
  readonly #lock: Lock
  readonly #renew: Renew
  #access: string | undefined
  #accountId: string | undefined
  #isResumed = false
  #running: Promise<unknown> | undefined
  #epoch = 0

  /** `renew` exchanges a refresh token for new tokens. */
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

  /** The token for the next request; undefined if nobody is logged in. */
  async token(): Promise<string | undefined> {
    const { credential } = this.#options
    if (credential !== undefined) return typeof credential === 'string' ? credential : credential()
    if (this.#access === undefined && !this.#isResumed) await this.resume()
    return this.#access
  }

  /** The token that replaces one that the server has rejected. */
  async replacement(rejected: string): Promise<string | undefined> {
    if (this.#access === rejected) await this.refresh()
    return this.#access
  }

  async start(tokens: Tokens): Promise<void> {
    await this.#store.save(tokens.refreshToken)
    if (this.#accountId !== undefined && this.#accountId !== tokens.account.id) this.#epoch += 1
    this.#access = tokens.accessToken
    this.#accountId = tokens.account.id
    this.#isResumed = true
    await this.#options.onTokens?.(tokens)
  }

  /** Drops the tokens of this client. Those in the store stay. */
  async forget(error?: ApiError): Promise<void> {
    this.#epoch += 1
    this.#access = undefined
    this.#accountId = undefined
    this.#isResumed = true
    await this.#options.onSessionEnd?.(error)
  }

  async end(error?: ApiError): Promise<void> {
    await this.#store.save(undefined)
    await this.forget(error)
  }

  /** Continues the stored login. Returns whether there is one. */
  async resume(): Promise<boolean> {
    if ((await this.#store.load()) === undefined) this.#isResumed = true
    else await this.refresh().catch(unlessEnded)
    return this.#access !== undefined
  }

  /** Gets new tokens. Concurrent calls share one request. */
  async refresh(): Promise<void> {
    await (this.#running ?? this.#inTurn(() => this.#rotate()))
  }

  /** Replaces the tokens by those that `request` gets. Meanwhile nobody else may use the refresh token. */
  async replace<T extends Tokens>(request: (access: string | undefined) => Promise<T>): Promise<T> {
    await this.refresh()
    const run = this.#inTurn(async () => {
      const tokens = await request(this.#access)
      await this.start(tokens)
      return tokens
    })
    // Calls that wait for new tokens meanwhile are not concerned by the failure of this request.
    this.#running = run.catch(() => {})
    return run
  }

  async #rotate(): Promise<void> {
    const refreshToken = await this.#store.load()
    if (refreshToken === undefined) return this.forget()
    const tokens = await this.#renew(refreshToken).catch(async (cause: unknown) => {
      if (!isRefusal(cause)) throw cause
      const ended = new ApiError({ status: 401, code: 'session_ended', title: 'The login has ended', cause })
      await this.end(ended)
      throw ended
    })
    await this.start(tokens)
  }

  /** Runs one change of the tokens at a time, in this client and among those who share the store. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#lock(work).finally(() => {
      this.#running = undefined
    })
    this.#running = run
    return run
  }
}

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
