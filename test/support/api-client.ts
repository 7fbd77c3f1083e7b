import { exports } from 'cloudflare:workers'
import { type Client, type ClientOptions, createClient, memoryStore } from '../../src/client/client.ts'
import type { RegisteredUser } from './actors.ts'
import { BASE_URL, randomAddress } from './client.ts'

type Sent = { method: string; path: string; headers: Headers }
type Forward = (request: Sent, forward: () => Promise<Response>) => Promise<Response>

/** The product's client, whose requests go to the Worker. */
export type AppClient = {
  client: Client
  /** The requests sent so far. */
  sent: Sent[]
  /** How long, in milliseconds, the client has waited before each retry. No time passes. */
  waits: number[]
  /** Replaces how requests are answered, for example to lose a response. */
  answer: (by: Forward) => void
}

export function appClient(options: Partial<ClientOptions> = {}): AppClient {
  const sent: Sent[] = []
  const waits: number[] = []
  const address = randomAddress()
  let by: Forward = (_, forward) => forward()
  const client = createClient({
    origin: BASE_URL,
    random: () => 0,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      waits.push(ms)
    },
    ...options,
    fetch: (url, init) => {
      const headers = new Headers(init.headers)
      const request = { method: init.method!, path: url.slice(BASE_URL.length), headers: new Headers(headers) }
      sent.push(request)
      headers.set('cf-connecting-ip', address)
      const next = options.fetch ?? ((to: string, own: RequestInit) => exports.default.fetch(to, own))
      return by(request, () => next(url, { ...init, headers }))
    },
  })
  return {
    client,
    sent,
    waits,
    answer: (answer) => {
      by = answer
    },
  }
}

/** A client that goes on with the login of the user. */
export const clientOf = ({ refreshToken }: RegisteredUser, options: Partial<ClientOptions> = {}): AppClient =>
  appClient({ store: memoryStore(refreshToken), ...options })

export const requestsTo = ({ sent }: AppClient, path: string): Sent[] => sent.filter((request) => request.path === path)
