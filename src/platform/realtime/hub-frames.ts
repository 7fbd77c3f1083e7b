import type { Id } from '../data/ids.ts'

/** `account:{id}` reaches one account, `author:{id}` those who follow it, and any other topic those who joined it. */
export type HubFrame = {
  /** While the hub still stores a frame with this key, publishing another one does nothing. */
  key: string
  topic: string
  channel: string
  event: string
  data: unknown
  /** Accounts that do not get the frame. */
  except?: readonly Id[]
  /** Sent, but not kept for `since`: the topic has a log of its own. */
  isTransient?: boolean
}

type Kept = { slot: number; seq: number; key: string; topic: string; channel: string; except: string; text: string }

const KEPT_FRAMES = 1_024
/** A sequence number is a time in ms, times this. */
const PER_MS = 1_024
const HOUR_MS = 3_600_000

export const frameSchema =
  'CREATE TABLE frames (slot INTEGER PRIMARY KEY, seq INTEGER, key TEXT, topic TEXT, channel TEXT, except_ids TEXT, frame TEXT);'

/** The sequence of a hub, and the ring of its latest frames: what a client missed while its account was listening. */
export class HubFrames {
  private readonly sql: SqlStorage
  private readonly ring = new Map<number, Kept>()
  private readonly keys = new Set<string>()
  private readonly lifeMs: number
  private slot = 0
  /** The greatest number so far. */
  last = 0
  /** The last frame that is no longer kept. */
  private lost = 0

  constructor(sql: SqlStorage, hours: number) {
    this.sql = sql
    this.lifeMs = hours * HOUR_MS
    const columns = 'slot, seq, key, topic, channel, except_ids AS "except", frame AS text'
    for (const kept of sql.exec<Kept>(`SELECT ${columns} FROM frames ORDER BY seq`)) this.add(kept)
    const [first] = this.ring.values()
    this.lost = Math.max(this.oldest(), this.ring.size === KEPT_FRAMES && first ? first.seq - 1 : 0)
  }

  /** A time, so that it tells nothing about other accounts, and continues after the hub was empty. */
  next(): number {
    this.last = Math.max(this.last + 1, Date.now() * PER_MS)
    return this.last
  }

  has(key: string): boolean {
    return this.keys.has(key)
  }

  keep(seq: number, { key, topic, channel, except = [] }: HubFrame, text: string): void {
    const slot = (this.slot + 1) % KEPT_FRAMES
    const replaced = this.ring.get(slot)
    if (replaced) {
      this.lost = Math.max(this.lost, replaced.seq)
      this.remove(replaced)
    }
    const kept = { slot, seq, key, topic, channel, except: except.join(), text }
    this.add(kept)
    const row = [slot, seq, key, topic, channel, kept.except, text]
    this.sql.exec('INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)', ...row)
  }

  /** The frames after `since` for an account that listens to what `hears` accepts; null if some are no longer kept. */
  after(since: number, accountId: Id, hears: (frame: { topic: string; channel: string }) => boolean): string[] | null {
    this.expire()
    if (since < this.lost || since > this.last) return null
    const missed = [...this.ring.values()].filter((kept) => kept.seq > since && hears(kept))
    return missed.filter(({ except }) => !except.split(',').includes(accountId)).map(({ text }) => text)
  }

  /** Deletes the frames that are too old. Returns when the next one will be, epoch ms. */
  expire(): number | null {
    this.delete(({ seq }) => {
      if (seq >= this.oldest()) return false
      this.lost = Math.max(this.lost, seq)
      return true
    })
    const [first] = this.ring.values()
    return first ? first.seq / PER_MS + this.lifeMs + 1 : null
  }

  delete(isUnwanted: (frame: { seq: number; topic: string }) => boolean): void {
    for (const kept of [...this.ring.values()].filter(isUnwanted)) {
      this.remove(kept)
      this.sql.exec('DELETE FROM frames WHERE slot = ?', kept.slot)
    }
  }

  get lifetime(): number {
    return this.lifeMs
  }

  private oldest(): number {
    return (Date.now() - this.lifeMs) * PER_MS
  }

  private add(kept: Kept): void {
    this.ring.set(kept.slot, kept)
    this.keys.add(kept.key)
    this.slot = kept.slot
    this.last = Math.max(this.last, kept.seq)
  }

  private remove({ slot, key }: Kept): void {
    this.ring.delete(slot)
    this.keys.delete(key)
  }
}
