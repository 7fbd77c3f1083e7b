import { DurableObject } from 'cloudflare:workers'
import type { Id } from '../data/ids.ts'
import { migrateObject } from '../objects/migrate-object.ts'
import { type Changes, FEED_MS } from './revocation-feed.client.ts'

const schema = [
  `CREATE TABLE changes (at INTEGER PRIMARY KEY, account_id INTEGER NOT NULL);
   CREATE TABLE beginning (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER)`,
]
const MAX_CHANGES = 5_000
/** A new feed vouches for nothing while guards of a version that announces nothing may still run. */
const SETTLING_MS = 10 * 60_000

/** One for the whole network. Lists, in order, the accounts whose status has changed within the life of a token. */
export class RevocationFeed extends DurableObject<Env> {
  private known: { last: number; beginning: number } | null = null

  private get sql(): SqlStorage {
    return this.ctx.storage.sql
  }

  private get state(): { last: number; beginning: number } {
    if (this.known) return this.known
    migrateObject(this.ctx.storage, schema)
    this.sql.exec('INSERT OR IGNORE INTO beginning VALUES (1, ?)', Date.now() + SETTLING_MS)
    const beginning = this.sql.exec<{ at: number }>('SELECT at FROM beginning').one().at
    const { last } = this.sql.exec<{ last: number | null }>('SELECT max(at) AS last FROM changes').one()
    this.known = { last: last ?? Date.now(), beginning }
    return this.known
  }

  /** Positions are times, but each is larger than the one before, even if the clock was set back. */
  async announce(accountId: string): Promise<void> {
    const { state } = this
    const at = Math.max(Date.now(), state.last + 1)
    this.sql.exec('DELETE FROM changes WHERE account_id = ?', Number(accountId))
    this.sql.exec('INSERT INTO changes VALUES (?, ?)', at, Number(accountId))
    this.sql.exec('DELETE FROM changes WHERE at < ?', Date.now() - FEED_MS)
    state.last = at
  }

  async changesSince(cursor: number | null): Promise<Changes> {
    const { last, beginning } = this.state
    const now = Date.now()
    const kept = Math.max(beginning, now - FEED_MS)
    const isKnown = cursor !== null && cursor >= kept && cursor <= last
    if (cursor === last && now >= beginning) return { accountIds: [], cursor, from: kept, isComplete: true }
    const rows = this.sql
      .exec<{ at: number; id: number }>(
        'SELECT at, account_id AS id FROM changes WHERE at > ? ORDER BY at DESC LIMIT ?',
        isKnown ? cursor : kept - 1,
        MAX_CHANGES,
      )
      .toArray()
    const isCut = rows.length === MAX_CHANGES
    return {
      accountIds: [...new Set(rows.map(({ id }) => String(id)))],
      cursor: last,
      from: isCut ? rows.at(-1)!.at : kept,
      isComplete: isKnown && !isCut,
    }
  }

  async erase(accountId: Id): Promise<void> {
    if (this.state) this.sql.exec('DELETE FROM changes WHERE account_id = ?', Number(accountId))
  }
}
