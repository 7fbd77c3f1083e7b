import { ApiError, type Client, createClient } from '../../src/client/client.ts'
import { fetchInTime } from '../fetch-in-time.ts'
import { ensure } from './story.ts'

const TIMEOUT_MS = 15_000

/** Somebody who uses the API. */
export type Caller = {
  name: string
  url: string
  client: Client
  /** How many requests the rate limit has admitted, and when the first one was sent. */
  admitted: number
  firstAt: number | null
  /** The headers of the last response. */
  headers: Headers
  /** The credential of the last request. */
  authorization: string
}

export function makeCaller(url: string, name: string): Caller {
  const caller = { name, url, admitted: 0, firstAt: null as number | null, headers: new Headers(), authorization: '' }
  class CountedWebSocket extends WebSocket {
    constructor(address: string) {
      super(address)
      // Redeeming the ticket counts against the rate limit of the account.
      caller.admitted += 1
    }
  }
  const client = createClient({
    origin: url,
    retries: 0,
    WebSocket: CountedWebSocket,
    fetch: async (address, init) => {
      caller.firstAt ??= performance.now()
      caller.authorization = new Headers(init.headers).get('authorization') ?? ''
      const response = await fetchInTime(address, init, TIMEOUT_MS)
      if (response.status !== 429) caller.admitted += 1
      caller.headers = response.headers
      return response
    },
  })
  return Object.assign(caller, { client })
}

/** Throws unless the API refuses the call with this status. */
export async function refused(status: number, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'a success',
    (error: unknown) => (error instanceof ApiError ? error.status : error),
  )
  ensure(outcome === status, `the API refuses the call with ${status}, not with ${outcome}`)
}
