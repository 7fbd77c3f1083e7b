import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { SocketClient } from '../sockets/client.ts'
import type { Person } from './writers.ts'

const RETRY_MS = 100
const PAGE = 50

type Frame = { event: string; seq: number; resumed?: boolean; data?: { postId?: string } }

/** A client that keeps a socket open through kills, and reads the home feed again when `hello` says that it must. */
export class Listener {
  readonly person: Person
  /** The posts of frames, and those read in the home feed. */
  private readonly heard = new Set<string>()
  private readonly read = new Set<string>()
  readonly hellos = { resumed: 0, refetched: 0 }
  isInOrder = true
  private readonly origin: string
  private seq = 0
  /** Counts the refetches that were asked for. The feed is up to date once the last of them is done. */
  private asked = 0
  private done = 0

  constructor(origin: string, person: Person) {
    this.origin = origin
    this.person = person
  }

  knows(postId: string): boolean {
    return this.heard.has(postId) || this.read.has(postId)
  }

  async listen(stopped: () => boolean): Promise<void> {
    const port = Number(new URL(this.origin).port)
    while (!stopped()) {
      const isFresh = this.seq === 0 || this.done < this.asked
      const closed = Promise.withResolvers<void>()
      const handlers = { onText: (text: string) => this.receive(JSON.parse(text)), onClose: closed.resolve }
      const path = `/v1/realtime?channels=home${isFresh ? '' : `&since=${this.seq}`}`
      const client = await SocketClient.open(port, path, this.person.token, handlers).catch(() => null)
      if (client) await Promise.race([closed.promise, until(stopped)])
      else await sleep(RETRY_MS)
      await client?.close()
    }
  }

  private receive({ event, seq, resumed, data }: Frame): void {
    // The hello of a resumed socket repeats the number that the client has.
    if (resumed ? seq !== this.seq : seq <= this.seq) this.isInOrder = false
    this.seq = seq
    if (data?.postId) this.heard.add(data.postId)
    if (event !== 'hello') return
    this.hellos[resumed ? 'resumed' : 'refetched'] += 1
    if (!resumed) void this.refetch(++this.asked)
  }

  /** Reads the whole home feed, unless a later refetch begins meanwhile. Repeats what fails. */
  private async refetch(turn: number): Promise<void> {
    let query = `?limit=${PAGE}`
    while (turn === this.asked) {
      const page = await this.readPage(query)
      for (const { id } of page?.items ?? []) this.read.add(id)
      if (page?.nextCursor === null) {
        this.done = turn
        return
      }
      if (page?.nextCursor) query = `?limit=${PAGE}&cursor=${encodeURIComponent(page.nextCursor)}`
      else await sleep(RETRY_MS)
    }
  }

  private async readPage(query: string): Promise<Page | null> {
    const headers = { authorization: `Bearer ${this.person.token}` }
    const answer = await fetchInTime(`${this.origin}/v1/feeds/home${query}`, { headers }).catch(() => null)
    return answer?.ok ? ((await answer.json().catch(() => null)) as Page | null) : null
  }
}

type Page = { items: { id: string }[]; nextCursor: string | null }

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(RETRY_MS)
}

/** Counts the posts of followed authors that a listener neither got nor read, and the listeners whose frames came out of order. */
export function compareListeners(listeners: readonly Listener[], dueTo: (listener: Listener) => string[]) {
  return {
    'posts that a listener neither heard of nor was told to read': listeners.reduce(
      (sum, listener) => sum + dueTo(listener).filter((post) => !listener.knows(post)).length,
      0,
    ),
    'listeners whose frames came out of order': listeners.filter(({ isInOrder }) => !isInOrder).length,
  }
}
