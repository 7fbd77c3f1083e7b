import { DurableObject } from 'cloudflare:workers'
import { DAY_MS } from '../data/expiry.ts'
import { migrateObject } from '../objects/migrate-object.ts'
import type { AccountStatus, Lease, Quota } from './access-guard.client.ts'
import {
  type ApiKeyGrant,
  apiKeySchema,
  endKey,
  keepsKeys,
  keyUses,
  liveKeys,
  storeKeys,
  useKey,
  voidKeysBefore,
} from './access-guard-keys.ts'
import { keyIn } from './api-keys.ts'
import type { Rights } from './rights.ts'
import { ACCESS_TOKEN_LIFE_MS } from './tokens.ts'

const schema = [
  `CREATE TABLE usage (id INTEGER PRIMARY KEY CHECK (id = 1), used INTEGER, resets_at INTEGER);
   CREATE TABLE status (id INTEGER PRIMARY KEY CHECK (id = 1), suspended INTEGER, revoked_before INTEGER);
   CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, ended_at INTEGER)`,
  'CREATE TABLE addresses (address TEXT PRIMARY KEY, used INTEGER) WITHOUT ROWID',
  apiKeySchema,
  'CREATE TABLE rights (id INTEGER PRIMARY KEY CHECK (id = 1), rights TEXT)',
]

/** A network may send this many times the requests of one address. */
const NETWORK_FACTOR = 10

/**
 * One per limit and account, client network or other key. Counts requests, and stores the revocations and suspension of
 * an account. Leases grant requests in advance, which saves calls. The object deletes itself within a day after the
 * window, the revocations and the suspension have ended.
 */
export class AccessGuard extends DurableObject<Env> {
  private migrated = false

  private get sql(): SqlStorage {
    if (!this.migrated) migrateObject(this.ctx.storage, schema)
    this.migrated = true
    return this.ctx.storage.sql
  }

  /** Deletes everything if nothing is in force; otherwise checks again in a day. */
  override async alarm(): Promise<void> {
    const [open] = this.sql.exec<{ resets_at: number }>('SELECT resets_at FROM usage').toArray()
    const { suspended, revokedBefore, endedSessions } = this.status(Date.now())
    const isRevoking = endedSessions.length > 0 || revokedBefore > Date.now() - ACCESS_TOKEN_LIFE_MS
    const isKept = keepsKeys(this.sql, Date.now()) || suspended || isRevoking
    if (isKept || (open && open.resets_at > Date.now())) {
      return this.ctx.storage.setAlarm(Date.now() + DAY_MS)
    }
    await this.ctx.storage.deleteAll()
    this.migrated = false
  }

  /**
   * `wanted: 0` only reads the status: nothing is counted and no alarm is set. With an `address`, `limit` applies to
   * the address, and ten times `limit` to the network of this guard.
   */
  async lease(limit: Quota, wanted: number, address?: string): Promise<Lease> {
    const now = Date.now()
    if (wanted > 0) await this.scheduleCleanup()
    const { used, resetsAt } = this.openWindow(limit, now)
    const total = address === undefined ? limit.quota : limit.quota * NETWORK_FACTOR
    const own = address === undefined ? used : this.usedBy(address)
    const free = Math.max(0, Math.min(total - used, limit.quota - own)) // not negative, even if the quota was lowered
    const granted = Math.min(wanted, Math.ceil(free / 4)) // a quarter, so that no isolate holds all that is left
    if (granted > 0) {
      this.sql.exec('INSERT OR REPLACE INTO usage VALUES (1, ?, ?)', used + granted, resetsAt)
      if (address !== undefined) this.sql.exec('INSERT OR REPLACE INTO addresses VALUES (?, ?)', address, own + granted)
    }
    const isNetworkUsedUp = address !== undefined && used + granted >= total
    return { granted, remaining: free - granted, resetsAt, status: this.status(now), isNetworkUsedUp }
  }

  /** Takes back a request that was counted in the window that ends at `resetsAt`. */
  async refund(resetsAt: number, address?: string): Promise<void> {
    const less = 'SET used = max(0, used - 1)'
    const usage = this.sql.exec(`UPDATE usage ${less} WHERE resets_at = ?`, resetsAt)
    if (address === undefined || usage.rowsWritten === 0) return
    this.sql.exec(`UPDATE addresses ${less} WHERE address = ?`, address)
  }

  /** The addresses of a network share its window. A new window forgets their counts. */
  private openWindow(limit: Quota, now: number): { used: number; resetsAt: number } {
    const [last] = this.sql.exec<{ used: number; resets_at: number }>('SELECT used, resets_at FROM usage').toArray()
    if (last && last.resets_at > now) return { used: last.used, resetsAt: last.resets_at }
    if (last) this.sql.exec('DELETE FROM addresses')
    return { used: 0, resetsAt: now + limit.window * 1_000 }
  }

  private usedBy(address: string): number {
    const [row] = this.sql.exec<{ used: number }>('SELECT used FROM addresses WHERE address = ?', address).toArray()
    return row?.used ?? 0
  }

  async setSuspended(suspended: boolean): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec(
      'INSERT INTO status VALUES (1, ?1, 0) ON CONFLICT (id) DO UPDATE SET suspended = ?1',
      suspended ? 1 : 0,
    )
  }

  /** Revokes the access tokens issued at or before `time`, and the API keys created at or before `keysTime` (epoch ms). */
  async revokeTokensBefore(time: number, keysTime = 0): Promise<void> {
    await this.scheduleCleanup()
    voidKeysBefore(this.sql, keysTime)
    this.sql.exec(
      'INSERT INTO status VALUES (1, 0, ?1) ON CONFLICT (id) DO UPDATE SET revoked_before = max(revoked_before, ?1)',
      time,
    )
  }

  /** A copy of what the directory holds. It is absent from leases once the object has deleted itself. */
  async setRights(rights: Rights): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec('INSERT OR REPLACE INTO rights VALUES (1, ?)', JSON.stringify(rights))
  }

  async fillRights(rights: Rights): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec('INSERT OR IGNORE INTO rights VALUES (1, ?)', JSON.stringify(rights))
  }

  async erase(): Promise<void> {
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
    this.migrated = false
  }

  async endSession(...sessionIds: string[]): Promise<void> {
    await this.scheduleCleanup()
    for (const id of sessionIds) {
      this.sql.exec('INSERT OR REPLACE INTO ended_sessions VALUES (?, ?)', id, Date.now())
      const keyId = keyIn(id)
      if (keyId !== null) endKey(this.sql, keyId, Date.now())
    }
  }

  async storeKeys(keys: readonly ApiKeyGrant[]): Promise<void> {
    await this.scheduleCleanup()
    storeKeys(this.sql, keys)
  }

  /** Writes nothing for an account without keys, which may not exist. */
  async useKey(hash: string): Promise<ApiKeyGrant | null | undefined> {
    return this.isEmpty() ? undefined : useKey(this.sql, hash, Date.now())
  }

  async keyUses(): Promise<Record<string, number>> {
    return this.isEmpty() ? {} : keyUses(this.sql)
  }

  private isEmpty(): boolean {
    return this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'usage'").toArray().length === 0
  }

  private async scheduleCleanup(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + DAY_MS)
  }

  private status(now: number): AccountStatus {
    const [row] = this.sql
      .exec<{ suspended: number; revoked_before: number }>('SELECT suspended, revoked_before FROM status')
      .toArray()
    const ended = this.sql.exec<{ id: string; ended_at: number }>('SELECT id, ended_at FROM ended_sessions').toArray()
    const relevant = ended.filter((session) => session.ended_at > now - ACCESS_TOKEN_LIFE_MS)
    if (relevant.length < ended.length) {
      this.sql.exec('DELETE FROM ended_sessions WHERE ended_at <= ?', now - ACCESS_TOKEN_LIFE_MS)
    }
    const [stored] = this.sql.exec<{ rights: string }>('SELECT rights FROM rights').toArray()
    return {
      suspended: row?.suspended === 1,
      revokedBefore: row?.revoked_before ?? 0,
      endedSessions: relevant.map((session) => session.id),
      keys: liveKeys(this.sql, now),
      ...(stored && { rights: JSON.parse(stored.rights) }),
    }
  }
}
