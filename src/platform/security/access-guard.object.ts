import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../config.ts'
import { ACCESS_TOKEN_LIFE_MS } from './tokens.ts'

/** How many requests in how many seconds. */
export type Quota = { quota: number; window: number }

/** What else a lease says of an account, so that a revocation is known wherever it asks next. */
export type AccountStatus = {
  suspended: boolean
  /** Access tokens issued before this are void, epoch ms. */
  notBefore: number
  /** Logins that were ended while their access tokens still had time to run. */
  endedSessions: string[]
}

/** Requests granted ahead, good until the window ends at `resetsAt` (epoch ms); `remaining` are left beyond them. */
export type Lease = { granted: number; remaining: number; resetsAt: number; standing: AccountStatus }

const DAY_MS = 24 * 3_600_000

/**
 * Counts exactly, in SQLite, for one account or address: a window opens with the first request and holds `quota`.
 * Requests are handed out in leases, so that most of them make no call. Within a day of its last window it is gone without
 * a trace, unless the account is suspended.
 */
export class AccessGuard extends DurableObject<Env> {
  private made = false

  private get sql(): SqlStorage {
    const { sql } = this.ctx.storage
    if (this.made) return sql
    sql.exec(`
      CREATE TABLE IF NOT EXISTS usage (id INTEGER PRIMARY KEY CHECK (id = 1), used INTEGER, resets_at INTEGER);
      CREATE TABLE IF NOT EXISTS standing (id INTEGER PRIMARY KEY CHECK (id = 1), suspended INTEGER, not_before INTEGER);
      CREATE TABLE IF NOT EXISTS ended_sessions (id TEXT PRIMARY KEY, ended_at INTEGER)`)
    this.made = true
    return sql
  }

  /** A day after a window opened: forgets everything if nothing is going on, and else looks again in a day. */
  override async alarm(): Promise<void> {
    const [open] = this.sql.exec<{ resets_at: number }>('SELECT resets_at FROM usage').toArray()
    const { suspended, notBefore, endedSessions } = this.standing(Date.now())
    const isVoiding = endedSessions.length > 0 || notBefore > Date.now() - ACCESS_TOKEN_LIFE_MS
    if (suspended || isVoiding || (open && open.resets_at > Date.now())) {
      return this.ctx.storage.setAlarm(Date.now() + DAY_MS)
    }
    await this.ctx.storage.deleteAll()
    this.made = false
  }

  /** Grants up to `wanted` requests; none are wanted by who only asks how the account stands, which writes nothing. */
  async lease(limit: Quota, wanted: number): Promise<Lease> {
    const now = Date.now()
    if (wanted > 0) await this.scheduleCleanup()
    const [open] = this.sql.exec<{ used: number; resets_at: number }>('SELECT used, resets_at FROM usage').toArray()
    const current = open && open.resets_at > now ? open : { used: 0, resets_at: now + limit.window * 1_000 }
    const free = Math.max(0, limit.quota - current.used)
    const granted = Math.min(wanted, Math.ceil(free / 4)) // less towards the end, since others may hold requests unspent
    const used = current.used + granted
    if (granted > 0) this.sql.exec('INSERT OR REPLACE INTO usage VALUES (1, ?, ?)', used, current.resets_at)
    return {
      granted,
      remaining: Math.max(0, limit.quota - used), // the quota may have been lowered meanwhile
      resetsAt: current.resets_at,
      standing: this.standing(now),
    }
  }

  async setSuspended(suspended: boolean): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec(
      `INSERT INTO standing VALUES (1, ?1, 0) ON CONFLICT (id) DO UPDATE SET suspended = ?1`,
      suspended ? 1 : 0,
    )
  }

  /** Voids every access token issued before `time` (epoch ms): a changed password, a changed role. */
  async voidTokensBefore(time: number): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec(
      'INSERT INTO standing VALUES (1, 0, ?1) ON CONFLICT (id) DO UPDATE SET not_before = max(not_before, ?1)',
      time,
    )
  }

  /** Voids the access tokens of one login. */
  async endSession(sessionId: string): Promise<void> {
    await this.scheduleCleanup()
    this.sql.exec('INSERT OR REPLACE INTO ended_sessions VALUES (?, ?)', sessionId, Date.now())
  }

  /** Sees to it that whatever is kept is looked at within a day. */
  private async scheduleCleanup(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + DAY_MS)
  }

  private standing(now: number): AccountStatus {
    const [row] = this.sql
      .exec<{ suspended: number; not_before: number }>('SELECT suspended, not_before FROM standing')
      .toArray()
    const ended = this.sql.exec<{ id: string; ended_at: number }>('SELECT id, ended_at FROM ended_sessions').toArray()
    const running = ended.filter((session) => session.ended_at > now - ACCESS_TOKEN_LIFE_MS)
    if (running.length < ended.length) {
      this.sql.exec('DELETE FROM ended_sessions WHERE ended_at <= ?', now - ACCESS_TOKEN_LIFE_MS)
    }
    return {
      suspended: row?.suspended === 1,
      notBefore: row?.not_before ?? 0,
      endedSessions: running.map((session) => session.id),
    }
  }
}
