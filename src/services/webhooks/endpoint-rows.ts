import { DAY_MS } from '../../platform/data/expiry.ts'
import { firstIdAt, type Id, timeOf, toId } from '../../platform/data/ids.ts'
import { migrateObject } from '../../platform/objects/migrate-object.ts'
import type { Attempt, Owner, PageOf, StoredDelivery } from './facts.ts'
import type { Message } from './messages.ts'
import type { DeliveryState } from './tables.ts'

const schema = `
  CREATE TABLE endpoint (
    id INTEGER PRIMARY KEY, account_id INTEGER, failures INTEGER, failing_since INTEGER, exhausted INTEGER,
    rests_until INTEGER, minute INTEGER, sent INTEGER, stop TEXT);
  CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, type TEXT, body TEXT, state TEXT, attempts INTEGER, next_at INTEGER, last_status INTEGER,
    answer TEXT);
  CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'waiting';
  CREATE TABLE attempts (
    delivery_id INTEGER, number INTEGER, at INTEGER, duration_ms INTEGER, status INTEGER, error TEXT,
    PRIMARY KEY (delivery_id, number)) WITHOUT ROWID;`

const MAX_FINISHED = 1_000
const MAX_WAITING = 5_000
const MAX_ATTEMPTS_KEPT = 50
const KEPT_MS = 30 * DAY_MS

/** `failures` in a row since `failingSince`, `exhausted` of them last attempts. `stop`: what the shard must still be told. */
export type Head = {
  id: number
  accountId: number
  failures: number
  failingSince: number | null
  exhausted: number
  restsUntil: number
  minute: number
  sent: number
  stop: 'failing' | 'gone' | null
}
export type Due = { id: number; type: string; body: string; attempts: number }

const headColumns = `id, account_id AS accountId, failures, failing_since AS failingSince, exhausted,
  rests_until AS restsUntil, minute, sent, stop`
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
    const insert = 'INSERT OR IGNORE INTO endpoint VALUES (?, ?, 0, NULL, 0, 0, 0, 0, NULL)'
    this.sql.exec(insert, Number(webhookId), Number(accountId))
  }

  update(head: Head): void {
    const set = `failures = ?, failing_since = ?, exhausted = ?, rests_until = ?, minute = ?, sent = ?, stop = ?`
    const { failures, failingSince, exhausted, restsUntil, minute, sent, stop } = head
    this.sql.exec(`UPDATE endpoint SET ${set}`, failures, failingSince, exhausted, restsUntil, minute, sent, stop)
  }

  /** A message that is known already changes nothing. Beyond the most that wait, it is recorded as failed. */
  add(messages: readonly Message[], now: number): void {
    const waiting = "SELECT count(*) AS n FROM deliveries WHERE state = 'waiting'"
    const isFull = this.sql.exec<{ n: number }>(waiting).one().n >= MAX_WAITING
    const [state, nextAt] = isFull ? ['failed', null] : ['waiting', now]
    const insert = 'INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, 0, ?, NULL, NULL)'
    for (const { id, type, body } of messages) this.sql.exec(insert, Number(id), type, body, state, nextAt)
  }

  /** Makes everything that waits due. */
  hurry(now: number): void {
    this.sql.exec("UPDATE deliveries SET next_at = ?1 WHERE state = 'waiting' AND next_at > ?1", now)
  }

  due(now: number, limit: number): Due[] {
    const due = `SELECT id, type, body, attempts FROM deliveries WHERE state = 'waiting' AND next_at <= ?
      ORDER BY next_at, id LIMIT ?`
    return this.sql.exec<Due>(due, now, limit).toArray()
  }

  nextAt(): number | null {
    const next = "SELECT min(next_at) AS at FROM deliveries WHERE state = 'waiting'"
    return this.sql.exec<{ at: number | null }>(next).one().at
  }

  /** Without its ids: the owner may no longer know what they name. */
  drop(id: number): void {
    this.sql.exec("UPDATE deliveries SET state = 'dropped', body = '', next_at = NULL, answer = NULL WHERE id = ?", id)
  }

  settle(id: number, state: DeliveryState, attempts: number, nextAt: number | null, attempt: Attempt): void {
    const last = `SELECT coalesce(max(number), 0) + 1 AS number FROM attempts WHERE delivery_id = ?`
    const { number } = this.sql.exec<{ number: number }>(last, id).one()
    const { at, durationMs, status, error, answer } = attempt
    this.sql.exec('INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)', id, number, at, durationMs, status, error)
    this.sql.exec('DELETE FROM attempts WHERE delivery_id = ? AND number <= ?', id, number - MAX_ATTEMPTS_KEPT)
    const set = 'UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, last_status = ?, answer = ? WHERE id = ?'
    this.sql.exec(set, state, attempts, nextAt, status, answer, id)
  }

  /** Newest first, or with `backward` oldest first. */
  page({ cursor, backward, limit, state }: PageOf): StoredDelivery[] {
    const from = cursor === null ? '1' : `id ${backward ? '>' : '<'} ${cursor}`
    const which = state ? 'state = ?1' : '?1 IS NULL'
    const order = backward ? 'ASC' : 'DESC'
    const page = `SELECT ${deliveryColumns} FROM deliveries WHERE ${from} AND ${which} ORDER BY id ${order} LIMIT ?2`
    return this.sql.exec<StoredDelivery>(page, state ?? null, limit).toArray()
  }

  delivery(id: Id): (StoredDelivery & { answer: string | null }) | null {
    const one = `SELECT ${deliveryColumns}, answer FROM deliveries WHERE id = ?`
    return this.sql.exec<StoredDelivery & { answer: string | null }>(one, Number(id)).toArray()[0] ?? null
  }

  attemptsOf(id: Id): (Attempt & { number: number })[] {
    const all = `SELECT number, at, duration_ms AS durationMs, status, error FROM attempts WHERE delivery_id = ?
      ORDER BY number`
    return this.sql.exec<Attempt & { number: number }>(all, Number(id)).toArray()
  }

  /** Makes the finished deliveries with ids in this range due again. Returns how many. */
  replay(from: number, before: number, now: number): number {
    const again = `UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = ?
      WHERE id >= ? AND id < ? AND state IN ('delivered', 'failed') RETURNING id`
    return this.sql.exec(again, now, from, before).toArray().length
  }

  /** When the oldest finished delivery is to be deleted; null if there is none. */
  expiresAt(): number | null {
    const oldest = "SELECT id FROM deliveries WHERE state <> 'waiting' ORDER BY id LIMIT 1"
    const [row] = this.sql.exec<{ id: number }>(oldest).toArray()
    return row ? timeOf(toId(row.id)) + KEPT_MS : null
  }

  prune(now: number): void {
    const finished = "SELECT id FROM deliveries WHERE state <> 'waiting' ORDER BY id DESC LIMIT 1 OFFSET ?"
    const last = this.sql.exec<{ id: number }>(finished, MAX_FINISHED - 1).toArray()[0]
    const before = Math.max(last?.id ?? 0, Number(firstIdAt(now - KEPT_MS)))
    this.sql.exec("DELETE FROM deliveries WHERE id < ? AND state <> 'waiting'", before)
    this.sql.exec(
      'DELETE FROM attempts WHERE delivery_id < ? AND delivery_id NOT IN (SELECT id FROM deliveries WHERE id < ?)',
      before,
      before,
    )
  }
}
