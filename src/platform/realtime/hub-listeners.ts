import { type Id, toId } from '../data/ids.ts'
import type { Login } from './hub.client.ts'

/** What the hub stores with a socket. `received` are the times of its last messages, epoch ms. */
export type Attached = Login & { accountId: Id; channels: string[]; scopes: string[]; received: number[] }

/** An account that has a socket, opens one, or had one within the last minute. */
export type Listener = {
  readonly accountId: Id
  readonly sockets: Map<WebSocket, Attached>
  /** What its sockets joined, each with the number from which its frames are complete. */
  readonly topics: Map<string, number>
  /** The ids of those it follows, in ascending order; null until they are known. */
  authors: Float64Array<ArrayBuffer> | null
  from: number
  /** Sockets that are being opened. */
  arriving: number
  leftAt: number
  isStored: boolean
  /** Readings of `authors`: how many were asked for, how many of these are done, and the one under way. */
  asked: number
  done: number
  reading: Promise<void> | null
}

export const LINGER_MS = 60_000

export const listenerSchema =
  'CREATE TABLE listeners (account_id INTEGER PRIMARY KEY, from_seq INTEGER, authors BLOB, topics TEXT);'

export const unheldSchema = 'CREATE TABLE unheld (id INTEGER PRIMARY KEY, since INTEGER);'

type Row = { account_id: number; from_seq: number; authors: ArrayBuffer; topics: string }

/** The accounts of a hub. An account's row stays for a minute after its last socket, and so does what it missed. */
export class HubListeners {
  private readonly sql: SqlStorage
  private readonly known = new Map<Id, Listener>()
  /** When the listeners left that the last sweep kept. Stored, because the object is evicted before the next sweep. */
  private unheldSince: number | null

  constructor(sql: SqlStorage) {
    this.sql = sql
    const [unheld] = sql.exec<{ since: number }>('SELECT since FROM unheld')
    this.unheldSince = unheld?.since ?? null
    const leftAt = this.unheldSince ?? Date.now()
    for (const row of sql.exec<Row>('SELECT * FROM listeners')) {
      const listener = this.enter(toId(row.account_id))
      Object.assign(listener, { authors: new Float64Array(row.authors), from: row.from_seq, leftAt, isStored: true })
      for (const [topic, from] of JSON.parse(row.topics)) listener.topics.set(topic, from)
    }
  }

  get isEmpty(): boolean {
    return this.known.size === 0
  }

  get(accountId: Id): Listener | undefined {
    return this.known.get(accountId)
  }

  all(): Listener[] {
    return [...this.known.values()]
  }

  enter(accountId: Id): Listener {
    const known = this.known.get(accountId)
    if (known) return known
    const counts = { from: 0, arriving: 0, leftAt: Date.now(), isStored: false, asked: 0, done: 0, reading: null }
    const listener = { accountId, sockets: new Map(), topics: new Map(), authors: null, ...counts }
    this.known.set(accountId, listener)
    return listener
  }

  /** Searches each account's list: a map of topics would cost more to build on a wake than it saves. */
  of(topic: string): Listener[] {
    const [kind, id = ''] = topic.split(':')
    if (kind === 'account') return [this.known.get(toId(Number(id)))].filter((known) => known !== undefined)
    const all = [...this.known.values()]
    if (kind !== 'author') return all.filter(({ topics }) => topics.has(topic))
    const author = Number(id)
    return all.filter(({ authors }) => authors !== null && includes(authors, author))
  }

  store({ accountId, from, authors, topics }: Listener): void {
    const row = [Number(accountId), from, (authors ?? new Float64Array()).buffer, JSON.stringify([...topics])]
    this.sql.exec('INSERT OR REPLACE INTO listeners VALUES (?, ?, ?, ?)', ...row)
  }

  /** Whether the account is still this one: it may have been deleted and come back meanwhile. */
  holds(listener: Listener): boolean {
    return this.known.get(listener.accountId) === listener
  }

  delete({ accountId }: Listener): void {
    this.known.delete(accountId)
    this.sql.exec('DELETE FROM listeners WHERE account_id = ?', Number(accountId))
  }

  /** Deletes accounts and topics that nobody has listened to for a minute. Returns when to call it again, epoch ms. */
  sweep(): number | null {
    const left: number[] = []
    for (const listener of this.known.values()) {
      if (listener.arriving > 0) continue
      const isOver = listener.leftAt <= Date.now() - LINGER_MS
      if (!isOver && !isHeldFully(listener)) left.push(listener.leftAt)
      else if (isOver && listener.sockets.size === 0) this.delete(listener)
      else if (isOver) this.dropUnheld(listener)
    }
    this.noteUnheld(left.length > 0 ? Math.max(...left) : null)
    return left.length > 0 ? Math.min(...left) + LINGER_MS : null
  }

  private noteUnheld(since: number | null): void {
    if (since === this.unheldSince) return
    this.unheldSince = since
    if (since === null) this.sql.exec('DELETE FROM unheld')
    else this.sql.exec('INSERT OR REPLACE INTO unheld VALUES (0, ?)', since)
  }

  private dropUnheld(listener: Listener): void {
    const unheld = [...listener.topics.keys()].filter((topic) => !isHeld(listener, topic))
    for (const topic of unheld) listener.topics.delete(topic)
    if (unheld.length > 0) this.store(listener)
  }
}

export function isHeld({ sockets }: Listener, topic: string): boolean {
  return [...sockets.values()].some(({ channels }) => channels.includes(topic))
}

function isHeldFully(listener: Listener): boolean {
  return listener.sockets.size > 0 && [...listener.topics.keys()].every((topic) => isHeld(listener, topic))
}

/** Binary search. */
export function includes(sorted: Float64Array, wanted: number): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return sorted[low] === wanted
}
