import { ACCESS_TOKEN_LIFE_MS } from './tokens.ts'

/** An API key as a guard stores it. `hash` is the SHA-256 of the key in hex; times are epoch ms. */
export type ApiKeyGrant = { id: string; hash: string; scopes: string[]; createdAt: number; expiresAt: number }

export const apiKeySchema = `
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, hash TEXT UNIQUE, scopes TEXT, created_at INTEGER, expires_at INTEGER, used_at INTEGER, ended_at INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE api_key_state (id INTEGER PRIMARY KEY CHECK (id = 1), is_complete INTEGER, void_before INTEGER);
  INSERT INTO api_key_state VALUES (1, 0, 0)`

const USE_INTERVAL_MS = 3_600_000
/** A condition of SQL. `now` is the parameter with the current time. */
export const isLiveKey = (now: string) =>
  `ended_at IS NULL AND expires_at > ${now} AND created_at > (SELECT void_before FROM api_key_state)`

/** Adds all keys of the account. A key that has ended stays ended, so an outdated list revives nothing. */
export function storeKeys(sql: SqlStorage, keys: readonly ApiKeyGrant[]): void {
  const insert = 'INSERT OR IGNORE INTO api_keys VALUES (?, ?, ?, ?, ?, NULL, NULL)'
  for (const { id, hash, scopes, createdAt, expiresAt } of keys) {
    sql.exec(insert, id, hash, scopes.join(' '), createdAt, expiresAt)
  }
  sql.exec('UPDATE api_key_state SET is_complete = 1')
}

/** Null if the account has no such key, undefined if the guard does not know all of its keys. Notes the use, once an hour. */
export function useKey(sql: SqlStorage, hash: string, now: number): ApiKeyGrant | null | undefined {
  const columns = 'id, hash, scopes, created_at AS createdAt, expires_at AS expiresAt'
  const [key] = sql
    .exec<Omit<ApiKeyGrant, 'scopes'> & { scopes: string }>(
      `SELECT ${columns} FROM api_keys WHERE hash = ? AND ${isLiveKey('?')}`,
      hash,
      now,
    )
    .toArray()
  if (!key) return isComplete(sql) ? null : undefined
  const note = 'UPDATE api_keys SET used_at = ?1 WHERE id = ?2 AND ifnull(used_at, 0) <= ?1 - ?3'
  sql.exec(note, now, key.id, USE_INTERVAL_MS)
  return { ...key, scopes: key.scopes.split(' ') }
}

/** By the id of the key: when it was last used, epoch ms. */
export function keyUses(sql: SqlStorage): Record<string, number> {
  const uses = sql.exec<{ id: string; at: number }>('SELECT id, used_at AS at FROM api_keys WHERE used_at IS NOT NULL')
  return Object.fromEntries(uses.toArray().map(({ id, at }) => [id, at]))
}

export function endKey(sql: SqlStorage, id: string, now: number): void {
  const end = 'INSERT INTO api_keys (id, ended_at) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET ended_at = ?2'
  sql.exec(end, id, now)
}

export function voidKeysBefore(sql: SqlStorage, time: number): void {
  sql.exec('UPDATE api_key_state SET void_before = max(void_before, ?)', time)
}

/** Forgets what is over. Returns whether the guard must go on to store something about keys. */
export function keepsKeys(sql: SqlStorage, now: number): boolean {
  const recent = now - ACCESS_TOKEN_LIFE_MS
  sql.exec('DELETE FROM api_keys WHERE ended_at <= ? OR expires_at <= ?', recent, now)
  const ended = sql.exec('SELECT 1 FROM api_keys WHERE ended_at IS NOT NULL LIMIT 1').toArray()
  const live = sql.exec(`SELECT 1 FROM api_keys WHERE ${isLiveKey('?')} LIMIT 1`, now).toArray()
  return ended.length + live.length > 0
}

function isComplete(sql: SqlStorage): boolean {
  return sql.exec<{ complete: number }>('SELECT is_complete AS complete FROM api_key_state').one().complete === 1
}
