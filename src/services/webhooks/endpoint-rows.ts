import { DAY_MS } from '../../platform/data/expiry.ts'
import { firstIdAt, type Id, timeOf, toId } from '../../platform/data/ids.ts'
import { migrateObject } from '../../platform/objects/migrate-object.ts'
import type { Attempt, Owner, PageOf, StoredDelivery } from './facts.ts'
import type { Message } from './messages.ts'
import type { DeliveryState } from './tables.ts'

const schema = `
  CREATE TABLE endpoint (
    id INTEGER PRIMARY KEY, account_id INTEGER, failures INTEGER, failing_since INTEGER, failed_at INTEGER,
    exhausted INTEGER, rests_until INTEGER, held_until INTEGER, minute INTEGER, sent INTEGER, stop TEXT);
  CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, type TEXT, body TEXT, state TEXT, is_shown INTEGER, attempts INTEGER, next_at INTEGER,
    finished_at INTEGER, last_status INTEGER, answer TEXT);
  CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'waiting';
  CREATE INDEX deliveries_finished ON deliveries (state, finished_at);
  CREATE TABLE attempts (
    delivery_id INTEGER, number INTEGER, at INTEGER, duration_ms INTEGER, status INTEGER, error TEXT,
    PRIMARY KEY (delivery_id, number)) WITHOUT ROWID;
  CREATE TABLE known (id INTEGER PRIMARY KEY);`

const MAX_FINISHED = 1_000
const MAX_ATTEMPTS_KEPT = 50
const KEPT_MS = 30 * DAY_MS
/** How long after its event the id of a deleted delivery is known, in case the event is repeated. */
const KNOWN_MS = 3 * DAY_MS

/**
 * `failures` in a row since `failingSince`, the last one at `failedAt`; `exhausted`: after ten attempts. `restsUntil` is our
 * own decision, and `heldUntil` the `Retry-After` of the endpoint. `stop`: what the shard must still be told.
 */
export type Head = {
  id: number
  accountId: number
  failures: number
  failingSince: number | null
  failedAt: number
  exhausted: number
  restsUntil: number
  heldUntil: number
  minute: number
  sent: number
  stop: 'failing' | 'gone' | null
}
export type Due = { id: number; type: string; body: string; isShown: number; attempts: number }
export type Settled = { state: DeliveryState; attempts: number; nextAt: number | null }

const headColumns = `id, account_id AS accountId, failures, failing_since AS failingSince, failed_at AS failedAt,
  exhausted, rests_until AS restsUntil, held_until AS heldUntil, minute, sent, stop`
const deliveryColumns = 'id, type, body, state, attempts, next_at AS nextAt, last_status AS lastStatus'

/** The tables of an endpoint. All methods are synchronous: a turn is a transaction. */
export class EndpointRows {
  private readonly sql: SqlStorage

  constructor(storage: DurableObjectStorage) {
    migrateObject(storage, [schema])
    this.sql = storage.sql
  }

  head(): Head | null {
    return this.sql.exec<Head>(`SELECT ${headColumns} FROM endpoint`).toArray()[0] ?? null
  }

  create({ webhookId, accountId }: Owner): void {
    const insert = 'INSERT OR IGNORE INTO endpoint VALUES (?, ?, 0, NULL, 0, 0, 0, 0, 0, 0, NULL)'
    this.sql.exec(insert, Number(webhookId), Number(accountId))
  }

  update(head: Head): void {
    const set = `failures = ?, failing_since = ?, failed_at = ?, exhausted = ?, rests_until = ?, held_until = ?,
      minute = ?, sent = ?, stop = ?`
    const { failures, failingSince, failedAt, exhausted, restsUntil, heldUntil, minute, sent, stop } = head
    const values = [failures, failingSince, failedAt, exhausted, restsUntil, heldUntil, minute, sent, stop]
    this.sql.exec(`UPDATE endpoint SET ${set}`, ...values)
  }

  /** A message that is known already changes nothing. */
  add(messages: readonly Message[], now: number): void {
    const insert = `INSERT OR IGNORE INTO deliveries SELECT ?1, ?2, ?3, 'waiting', ?4, 0, ?5, NULL, NULL, NULL
      WHERE NOT EXISTS (SELECT 1 FROM known WHERE id = ?1)`
    for (const { id, type, body, isOwn } of messages) this.sql.exec(insert, Number(id), type, body, isOwn ? 1 : 0, now)
  }

  /** Makes everything that waits due. */
  hurry(now: number): void {
    this.sql.exec("UPDATE deliveries SET next_at = ?1 WHERE state = 'waiting' AND next_at > ?1", now)
  }

  due(now: number, limit: number): Due[] {
    const due = `SELECT id, type, body, is_shown AS isShown, attempts FROM deliveries WHERE state = 'waiting' AND next_at <= ?
      ORDER BY next_at, id LIMIT ?`
    return this.sql.exec<Due>(due, now, limit).toArray()
  }

  nextAt(): number | null {
    const next = "SELECT min(next_at) AS at FROM deliveries WHERE state = 'waiting'"
    return this.sql.exec<{ at: number | null }>(next).one().at
  }

  /** From now on, the owner may see the delivery, because the owner may know what it is about. */
  show(id: number): void {
    this.sql.exec('UPDATE deliveries SET is_shown = 1 WHERE id = ? AND is_shown = 0', id)
  }

  /** What the owner has never been allowed to know leaves no trace, and anything else no ids. */
  drop({ id, isShown }: Due, now: number): void {
    if (isShown) {
      const drop = `UPDATE deliveries SET state = 'dropped', body = '', next_at = NULL, finished_at = ?, answer = NULL
        WHERE id = ?`
      this.sql.exec(drop, now, id)
    } else {
      this.sql.exec('INSERT OR IGNORE INTO known VALUES (?)', id)
      this.sql.exec('DELETE FROM deliveries WHERE id = ?', id)
    }
  }

  settle(id: number, { state, attempts, nextAt }: Settled, attempt: Attempt): void {
    const last = `SELECT coalesce(max(number), 0) + 1 AS number FROM attempts WHERE delivery_id = ?`
    const { number } = this.sql.exec<{ number: number }>(last, id).one()
    const { at, durationMs, status, error, answer } = attempt
    this.sql.exec('INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)', id, number, at, durationMs, status, error)
    this.sql.exec('DELETE FROM attempts WHERE delivery_id = ? AND number <= ?', id, number - MAX_ATTEMPTS_KEPT)
    const set = `UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, finished_at = ?, last_status = ?, answer = ?
      WHERE id = ?`
    this.sql.exec(set, state, attempts, nextAt, nextAt === null ? at + durationMs : null, status, answer, id)
  }

  /** Newest first, or with `backward` oldest first. */
  page({ cursor, backward, limit, state }: PageOf): StoredDelivery[] {
    const from = cursor === null ? 'is_shown' : `is_shown AND id ${backward ? '>' : '<'} ${cursor}`
    const which = state ? 'state = ?1' : '?1 IS NULL'
    const order = backward ? 'ASC' : 'DESC'
    const page = `SELECT ${deliveryColumns} FROM deliveries WHERE ${from} AND ${which} ORDER BY id ${order} LIMIT ?2`
    return this.sql.exec<StoredDelivery>(page, state ?? null, limit).toArray()
  }

  delivery(id: Id): (StoredDelivery & { answer: string | null }) | null {
    const one = `SELECT ${deliveryColumns}, answer FROM deliveries WHERE id = ? AND is_shown`
    return this.sql.exec<StoredDelivery & { answer: string | null }>(one, Number(id)).toArray()[0] ?? null
  }

  attemptsOf(id: Id): (Attempt & { number: number })[] {
    const all = `SELECT number, at, duration_ms AS durationMs, status, error FROM attempts WHERE delivery_id = ?
      ORDER BY number`
    return this.sql.exec<Attempt & { number: number }>(all, Number(id)).toArray()
  }

  /** Makes the finished deliveries with ids in this range due again. Returns how many. */
  replay(from: number, before: number, now: number): number {
    const again = `UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = ?, finished_at = NULL
      WHERE id >= ? AND id < ? AND state IN ('delivered', 'failed') RETURNING id`
    return this.sql.exec(again, now, from, before).toArray().length
  }

  /** When the next delivery is to be deleted; null if there is none. */
  expiresAt(): number | null {
    const finished = "SELECT min(finished_at) AS at FROM deliveries WHERE state <> 'waiting'"
    const oldest = "SELECT min(id) AS id FROM deliveries WHERE state = 'waiting'"
    const { at } = this.sql.exec<{ at: number | null }>(finished).one()
    const { id } = this.sql.exec<{ id: number | null }>(oldest).one()
    const times = [at, id === null ? null : timeOf(toId(id))].filter((time) => time !== null)
    return times.length === 0 ? null : Math.min(...times) + KEPT_MS
  }

  /** Keeps the last thousand finished deliveries of each state, for 30 days. Only those of a paused webhook wait so long. */
  prune(now: number): void {
    for (const state of ['delivered', 'failed', 'dropped']) {
      const last = 'SELECT finished_at AS at FROM deliveries WHERE state = ? ORDER BY finished_at DESC LIMIT 1 OFFSET ?'
      const excess = this.sql.exec<{ at: number }>(last, state, MAX_FINISHED).toArray()[0]
      this.forget('state = ? AND finished_at <= ?', now, state, Math.max(excess?.at ?? 0, now - KEPT_MS))
    }
    this.forget("state = 'waiting' AND id <= ?", now, Number(firstIdAt(now - KEPT_MS)))
    this.sql.exec('DELETE FROM known WHERE id < ?', Number(firstIdAt(now - KNOWN_MS)))
  }

  private forget(which: string, now: number, ...values: readonly (string | number)[]): void {
    const keep = `INSERT OR IGNORE INTO known SELECT id FROM deliveries WHERE ${which} AND id >= ?`
    this.sql.exec(keep, ...values, Number(firstIdAt(now - KNOWN_MS)))
    const attempts = `DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE ${which})`
    this.sql.exec(attempts, ...values)
    this.sql.exec(`DELETE FROM deliveries WHERE ${which}`, ...values)
  }
}
