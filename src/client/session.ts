import { ApiError, isCode, isRefusal } from './errors.ts'
import type { ClientOptions, TokenStore } from './options.ts'
import type { Tokens } from './wire.ts'

type Dependencies = Pick<ClientOptions, 'credential' | 'lock' | 'onTokens' | 'onSessionEnd'> & {
  store: TokenStore
  /** Exchanges a refresh token for new tokens. */
  renew: (refreshToken: string) => Promise<Tokens>
}

/** The login of a client: gets, keeps and renews its tokens. */
export type Session = ReturnType<typeof createSession>

export const memoryStore = (refreshToken?: string): TokenStore => {
  let kept = refreshToken
  return {
    load: () => kept,
    save: (token) => {
      kept = token
    },
  }
}

export function createSession({
  store,
  lock = (work) => work(),
  renew,
  onTokens,
  onSessionEnd,
  credential,
}: Dependencies) {
  let access: string | undefined
  let accountId: string | undefined
  let isResumed = false
  let running: Promise<unknown> | undefined
  /** Rises when another account logs in, or none is logged in any more. */
  let epoch = 0

  async function start(tokens: Tokens): Promise<void> {
    await store.save(tokens.refreshToken)
    if (accountId !== undefined && accountId !== tokens.account.id) epoch += 1
    access = tokens.accessToken
    accountId = tokens.account.id
    isResumed = true
    await onTokens?.(tokens)
  }

  /** Drops the tokens of this client. Those in the store stay. */
  async function forget(error?: ApiError): Promise<void> {
    epoch += 1
    access = undefined
    accountId = undefined
    isResumed = true
    await onSessionEnd?.(error)
  }

  async function end(error?: ApiError): Promise<void> {
    await store.save(undefined)
    await forget(error)
  }

  async function rotate(): Promise<void> {
    const refreshToken = await store.load()
    if (refreshToken === undefined) return forget()
    const tokens = await renew(refreshToken).catch(async (cause: unknown) => {
      if (!isRefusal(cause)) throw cause
      const ended = new ApiError({ status: 401, code: 'session_ended', title: 'The login has ended', cause })
      await end(ended)
      throw ended
    })
    await start(tokens)
  }

  /** Runs one change of the tokens at a time, in this client and among those who share the store. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = lock(work).finally(() => {
      running = undefined
    })
    running = run
    return run
  }

  /** Gets new tokens. Concurrent calls share one request. */
  async function refresh(): Promise<void> {
    await (running ?? inTurn(rotate))
  }

  /** Continues the stored login, if there is one. */
  async function resume(): Promise<boolean> {
    if ((await store.load()) === undefined) isResumed = true
    else
      await refresh().catch((error: unknown) => {
        if (!isCode(error, 'session_ended')) throw error
      })
    return access !== undefined
  }

  return {
    start,
    forget,
    end,
    refresh,
    resume,
    /** Whether tokens are renewed here, instead of coming from `credential`. */
    isOwn: credential === undefined,
    epoch: () => epoch,
    /** The token for the next request; undefined if nobody is logged in. */
    async token(): Promise<string | undefined> {
      if (credential !== undefined) return typeof credential === 'string' ? credential : credential()
      if (access === undefined && !isResumed) await resume()
      return access
    },
    /** The token that replaces one that the server has rejected. */
    async replacement(rejected: string): Promise<string | undefined> {
      if (access === rejected) await refresh()
      return access
    },
    /** Replaces the tokens by those that `request` gets. Meanwhile nobody else may use the refresh token. */
    async replace(request: (access: string | undefined) => Promise<Tokens>): Promise<Tokens> {
      await refresh()
      const run = inTurn(async () => {
        const tokens = await request(access)
        await start(tokens)
        return tokens
      })
      // Calls that wait for new tokens meanwhile are not concerned by the failure of this request.
      running = run.catch(() => {})
      return run
    },
  }
}
