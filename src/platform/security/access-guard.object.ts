import { DurableObject } from 'cloudflare:workers'
import { DAY_MS } from '../data/expiry.ts'
import { migrateObject } from '../objects/migrate-object.ts'
import type { AccountStatus, Lease, Quota, Spent } from './access-guard.client.ts'
import {
  type ApiKeyGrant,
  apiKeySchema,
  endKey,
  isLiveKey,
  keepsKeys,
  keyUses,
  storeKeys,
  useKey,
  voidKeysBefore,
} from './access-guard-keys.ts'
import { keyIn } from './key-logins.ts'
import { announceChange, FEED_MS } from './revocation-feed.client.ts'
import type { Rights } from './rights.ts'

const schema = [
  `CREATE TABLE usage (id INTEGER PRIMARY KEY CHECK (id = 1), used INTEGER, resets_at INTEGER);
   CREATE TABLE status (id INTEGER PRIMARY KEY CHECK (id = 1), suspended INTEGER, revoked_before INTEGER);
   CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, ended_at INTEGER)`,
  'CREATE TABLE addresses (address TEXT PRIMARY KEY, used INTEGER) WITHOUT ROWID',
  apiKeySchema,
  'CREATE TABLE rights (id INTEGER PRIMARY KEY CHECK (id = 1), rights TEXT)',
]

type StoredStatus = {
  suspended: number | null
  revoked_before: number | null
  rights: string | null
  ended: string
  keys: string | null
}

/** Of the time from which ended sessions count, and of the current time. `keys` is null if not all of them are known. */
const statusQuery = `SELECT suspended, revoked_before, rights,
    (SELECT json_group_array(id) FROM ended_sessions WHERE ended_at > ?1) AS ended,
    iif(is_complete = 1, (SELECT json_group_array(id) FROM api_keys WHERE ${isLiveKey('?2')}), NULL) AS keys
  FROM api_key_state LEFT JOIN status LEFT JOIN rights`

const UNANNOUNCED = 'unannounced'
const REPEAT_MS = 1_000

/** A network may send this many times the requests of one address. */
const NETWORK_FACTOR = 10

type Window = { used: number; resetsAt: number; own: Map<string, number>; isStored: boolean }

/**
 * One per limit and account, client network or other key. Counts requests, and stores the revocations and suspension of
 * an account. Leases grant requests in advance, which saves calls. Below half of a quota, counts are in memory only: an
 * object that leaves the memory forgets them. Leases of single requests are always stored, because they count guesses.
 * The object deletes itself within a day after the window, the revocations and the suspension have ended.
 */
export class AccessGuard extends DurableObject<Env> {
  private migrated = false
  private window: Window | null = null

  private get sql(): SqlStorage {
    if (!this.migrated) migrateObject(this.ctx.storage, schema)
    this.migrated = true
    return this.ctx.storage.sql
  }

  /** Deletes everything if nothing is in force; otherwise checks again in a day. */
  override async alarm(): Promise<void> {
    if (this.ctx.storage.kv.get(UNANNOUNCED)) {
      const isAnnounced = await this.announce().then(
        () => true,
        () => false,
      )
      if (!isAnnounced) return
    }
    const now = Date.now()
    const { suspended, revokedBefore, endedSessions } = this.status(now)
    const isRevoking = endedSessions.length > 0 || revokedBefore > now - FEED_MS
    const isKept = keepsKeys(this.sql, now) || suspended || isRevoking
    this.sql.exec('DELETE FROM ended_sessions WHERE ended_at <= ?', now - FEED_MS)
    if (isKept || this.openWindow(now)) return this.ctx.storage.setAlarm(now + DAY_MS)
    await this.deleteAll()
  }

  /**
   * `wanted: 0` only reads the status: nothing is counted and no alarm is set. With an `address`, `limit` applies to
   * the address, and ten times `limit` to the network of this guard. Counts `spent` too, if that window is still open.
   */
  async lease(limit: Quota, wanted: number, address?: string, spent?: Spent): Promise<Lease> {
    const now = Date.now()
    const isSpent = spent !== undefined && spent.resetsAt > now
    const latest = now + limit.window * 1_000
    const begun = { used: 0, resetsAt: isSpent ? Math.min(spent.resetsAt, latest) : latest, own: new Map() }
    const window = this.openWindow(now) ?? { ...begun, isStored: false }
    const spentHere = isSpent ? spent.used : 0
    const total = address === undefined ? limit.quota : limit.quota * NETWORK_FACTOR
    const used = window.used + spentHere
    const own = address === undefined ? used : (window.own.get(address) ?? 0)
    const free = Math.max(0, Math.min(total - used, limit.quota - own)) // not negative, even if the quota was lowered
    const granted = Math.min(wanted, Math.ceil(free / 4)) // a quarter, so that no isolate holds all that is left
    if (granted + spentHere > 0) {
      window.used = used + granted
      if (address !== undefined) window.own.set(address, own + granted)
      this.window = window
      if (wanted === 1 || 2 * (own + granted) >= limit.quota || 2 * window.used >= total)
        await this.storeWindow(window, address)
    }
    const isNetworkUsedUp = address !== undefined && window.used >= total
    return { granted, remaining: free - granted, resetsAt: window.resetsAt, status: this.status(now), isNetworkUsedUp }
  }

  /** Takes back a request that was counted in the window that ends at `resetsAt`. */
  async refund(resetsAt: number, address?: string): Promise<void> {
    const window = this.openWindow(Date.now())
    if (window?.resetsAt !== resetsAt) return
    window.used = Math.max(0, window.used - 1)
    if (address !== undefined) window.own.set(address, Math.max(0, (window.own.get(address) ?? 0) - 1))
    if (window.isStored) await this.storeWindow(window, address)
  }

  /** The addresses of a network share its window. */
  private openWindow(now: number): Window | null {
    this.window ??= this.storedWindow()
    return this.window && this.window.resetsAt > now ? this.window : null
  }

  private storedWindow(): Window | null {
    if (this.isEmpty()) return null
    const [last] = this.sql.exec<{ used: number; resets_at: number }>('SELECT used, resets_at FROM usage').toArray()
    const own = this.sql.exec<{ address: string; used: number }>('SELECT address, used FROM addresses').toArray()
    const counts = own.map(({ address, used }) => [address, used] as const)
    return last ? { used: last.used, resetsAt: last.resets_at, own: new Map(counts), isStored: true } : null
  }

  private async storeWindow(window: Window, address?: string): Promise<void> {
    if (!window.isStored) this.sql.exec('DELETE FROM addresses')
    window.isStored = true
    this.sql.exec('INSERT OR REPLACE INTO usage VALUES (1, ?, ?)', window.used, window.resetsAt)
    const own = address === undefined ? undefined : window.own.get(address)
    if (own !== undefined) this.sql.exec('INSERT OR REPLACE INTO addresses VALUES (?, ?)', address, own)
    await this.scheduleCleanup()
  }

  async setSuspended(suspended: boolean): Promise<void> {
    this.sql.exec(
      'INSERT INTO status VALUES (1, ?1, 0) ON CONFLICT (id) DO UPDATE SET suspended = ?1',
      suspended ? 1 : 0,
    )
    await this.announce()
  }

  /** Revokes the access tokens issued at or before `time`, and the API keys created at or before `keysTime` (epoch ms). */
  async revokeTokensBefore(time: number, keysTime = 0): Promise<void> {
    voidKeysBefore(this.sql, keysTime)
    this.sql.exec(
      'INSERT INTO status VALUES (1, 0, ?1) ON CONFLICT (id) DO UPDATE SET revoked_before = max(revoked_before, ?1)',
      time,
    )
    await this.announce()
  }

  /** A copy of what the directory holds. It is absent from the status once the object has deleted itself. */
  async setRights(rights: Rights): Promise<void> {
    this.sql.exec('INSERT OR REPLACE INTO rights VALUES (1, ?)', JSON.stringify(rights))
    await this.announce()
  }

  async fillRights(rights: Rights): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec('INSERT OR IGNORE INTO rights VALUES (1, ?)', JSON.stringify(rights))
  }

  async erase(): Promise<void> {
    await this.ctx.storage.deleteAlarm()
    await this.deleteAll()
  }

  async endSession(...sessionIds: string[]): Promise<void> {
    for (const id of sessionIds) {
      this.sql.exec('INSERT OR REPLACE INTO ended_sessions VALUES (?, ?)', id, Date.now())
      const keyId = keyIn(id)
      if (keyId !== null) endKey(this.sql, keyId, Date.now())
    }
    await this.announce()
  }

  /** After the change is stored, so that an isolate that learns of it reads it here. Throws if the feed does not answer. */
  private async announce(): Promise<void> {
    await this.scheduleCleanup()
    const [, accountId] = /^user:(\d+)$/.exec(this.ctx.id.name ?? '') ?? []
    if (accountId === undefined) throw new Error('only guards of accounts announce changes')
    const { kv } = this.ctx.storage
    try {
      await announceChange(this.env, accountId)
      if (kv.get(UNANNOUNCED)) kv.delete(UNANNOUNCED)
    } catch (error) {
      kv.put(UNANNOUNCED, true)
      await this.ctx.storage.setAlarm(Date.now() + REPEAT_MS)
      throw error
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
    if (this.migrated) return false
    return this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'usage'").toArray().length === 0
  }

  private async deleteAll(): Promise<void> {
    await this.ctx.storage.deleteAll()
    this.migrated = false
    this.window = null
  }

  private async scheduleCleanup(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + DAY_MS)
  }

  private status(now: number): AccountStatus {
    if (this.isEmpty()) return { suspended: false, revokedBefore: 0, endedSessions: [] }
    const row = this.sql.exec<StoredStatus>(statusQuery, now - FEED_MS, now).one()
    return {
      suspended: row.suspended === 1,
      revokedBefore: row.revoked_before ?? 0,
      endedSessions: JSON.parse(row.ended),
      ...(row.keys !== null && { keys: JSON.parse(row.keys) }),
      ...(row.rights !== null && { rights: JSON.parse(row.rights) }),
    }
  }
}
