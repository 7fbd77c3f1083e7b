import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { SocketClient } from './client.ts'

/** Where sockets are opened and posts are made: the product, or the bare broadcast that it is compared with. */
export type Venue = {
  pid: number
  port: number
  /** Where the socket of a client opens, and the token that it sends. */
  addressOf: (client: number) => { path: string; token: string }
  /** The post that a frame announces; null for other frames. */
  postIn: (text: string) => string | null
}
type Times = { p50: number; p95: number; max: number }

const DEADLINE_MS = 60_000
const MAX_ARRIVING = 100

/** Clients with open sockets, which count what they receive. */
export class Audience {
  readonly venue: Venue
  private clients: SocketClient[] = []
  private readonly received: string[][] = []
  private readonly published: string[] = []
  private waiting: { count: number; times: number[]; done: () => void } | null = null

  constructor(venue: Venue) {
    this.venue = venue
  }

  get size(): number {
    return this.clients.length
  }

  /** Opens sockets until there are `count`, `perSecond` of them each second. The times are those until `hello`, in ms. */
  async open(count: number, perSecond: number, pause = async (_arriving: number) => {}): Promise<Times> {
    const began = performance.now()
    const [first, times] = [this.clients.length, [] as number[]]
    const opening = new Set<Promise<void>>()
    for (let i = first; i < count; i++) {
      const early = ((i - first) / perSecond) * 1_000 - (performance.now() - began)
      if (early > 5) await sleep(early)
      await pause(opening.size)
      // Also if the server is late: a client that opens thousands at once is no crowd.
      while (opening.size >= MAX_ARRIVING) await Promise.race(opening)
      const one = this.openOne(i).then((ms) => void times.push(ms))
      opening.add(one)
      one.then(() => opening.delete(one)).catch(() => {}) // a rejection stays in the set, for the next race
    }
    await Promise.all(opening)
    return timesOf(times)
  }

  private async openOne(i: number): Promise<number> {
    const { port, addressOf } = this.venue
    const { path, token } = addressOf(i)
    const [asked, hello] = [performance.now(), Promise.withResolvers<void>()]
    this.received[i] ??= []
    const onText = (text: string) => {
      const post = this.venue.postIn(text)
      if (post === null) return hello.resolve()
      this.received[i]!.push(post)
      this.waiting?.times.push(performance.now())
      if (this.waiting?.times.length === this.waiting?.count) this.waiting?.done()
    }
    this.clients[i] = await SocketClient.open(port, path, token, { onText })
    await hello.promise
    return performance.now() - asked
  }

  /** Publishes a post with `publish`, and waits until each client has its frame. The times begin before `publish`. */
  async hear(publish: () => Promise<string>): Promise<Times> {
    const all = Promise.withResolvers<void>()
    const waiting = { count: this.size, times: [] as number[], done: all.resolve }
    this.waiting = waiting
    const began = performance.now()
    const late = setTimeout(() => {
      all.reject(new Error(`${waiting.times.length} of ${waiting.count} frames arrived`))
    }, DEADLINE_MS)
    const [post] = await Promise.all([publish(), all.promise])
    clearTimeout(late)
    this.published.push(post)
    return timesOf(waiting.times.map((at) => at - began))
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()))
    this.clients = []
  }

  /** How many frames were not received, and how many were received again or without a post. Both should be 0. */
  flaws(): { missing: number; repeated: number } {
    const right = new Set(this.published)
    const heard = this.received.map((posts) => new Set(posts).intersection(right).size)
    return {
      missing: heard.reduce((sum, size) => sum + right.size - size, 0),
      repeated: this.received.reduce((sum, posts, i) => sum + posts.length - heard[i]!, 0),
    }
  }
}

export function timesOf(list: number[]): Times {
  const sorted = list.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { p50: at(0.5), p95: at(0.95), max: at(1) }
}
