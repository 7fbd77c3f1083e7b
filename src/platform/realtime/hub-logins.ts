import { Id, timeOf } from '../data/ids.ts'
import { sha256 } from '../security/crypto.ts'
import { keyIn } from '../security/key-logins.ts'
import { ACCESS_TOKEN_LIFE_MS } from '../security/tokens.ts'
import { type Login, type Revocation, TICKET_LIFE_S } from './hub.client.ts'

/** Stands for all API keys in `revoked`, as the empty id does for all logins. */
const ALL_KEYS = 'key:'

export const loginSchema = `CREATE TABLE socket_tickets (hash TEXT PRIMARY KEY, account_id INTEGER, session_id TEXT, issued_at INTEGER, expires_at INTEGER);
   CREATE TABLE revoked (account_id INTEGER, session_id TEXT, before INTEGER, at INTEGER, PRIMARY KEY (account_id, session_id)) WITHOUT ROWID;`

export async function issueTicket(sql: SqlStorage, accountId: Id, { sessionId, issuedAt }: Login): Promise<string> {
  const secret = crypto.randomUUID() + crypto.randomUUID()
  const [key, expiresAt] = [await hash(secret), Date.now() + TICKET_LIFE_S * 1_000]
  sql.exec('DELETE FROM socket_tickets WHERE expires_at < ?', Date.now())
  sql.exec('INSERT INTO socket_tickets VALUES (?, ?, ?, ?, ?)', key, Number(accountId), sessionId, issuedAt, expiresAt)
  return secret
}

export async function redeemTicket(sql: SqlStorage, accountId: Id, secret: string): Promise<Login | null> {
  const columns = 'session_id AS sessionId, issued_at AS issuedAt, expires_at AS expiresAt'
  const [row] = sql
    .exec<Login & { expiresAt: number }>(
      `DELETE FROM socket_tickets WHERE hash = ? AND account_id = ? RETURNING ${columns}`,
      await hash(secret),
      Number(accountId),
    )
    .toArray()
  return row && row.expiresAt >= Date.now() ? { sessionId: row.sessionId, issuedAt: row.issuedAt } : null
}

/** Whether the revocation ends the login, or the API key that stands for one. */
export function ends(revoked: Revocation, { sessionId, issuedAt }: Login): boolean {
  const createdAt = creationOf(sessionId)
  if (createdAt !== null && createdAt <= (revoked.keysBefore ?? 0)) return true
  return 'before' in revoked ? issuedAt <= revoked.before : revoked.sessionIds.includes(sessionId)
}

/** When (epoch ms) the API key was created, because `issuedAt` is the time of its request; null for a login. */
function creationOf(sessionId: string): number | null {
  const id = Id.safeParse(keyIn(sessionId)).data
  return id === undefined ? null : timeOf(id)
}

/** Keeps the revocation while access tokens of its time are valid: a request admitted earlier may still open a socket. */
export function revoke(sql: SqlStorage, accountId: Id, revoked: Revocation): void {
  const now = Date.now()
  const logins =
    'before' in revoked ? { '': revoked.before } : Object.fromEntries(revoked.sessionIds.map((id) => [id, now]))
  const revocations: Record<string, number> = { ...logins, [ALL_KEYS]: revoked.keysBefore ?? 0 }
  sql.exec('DELETE FROM revoked WHERE at < ?', now - ACCESS_TOKEN_LIFE_MS)
  const merge =
    'ON CONFLICT (account_id, session_id) DO UPDATE SET before = max(before, excluded.before), at = excluded.at'
  for (const [id, before] of Object.entries(revocations)) {
    if (before <= now - ACCESS_TOKEN_LIFE_MS) continue
    sql.exec(`INSERT INTO revoked VALUES (?, ?, ?, ?) ${merge}`, Number(accountId), id, before, now)
  }
}

export function isRevoked(sql: SqlStorage, accountId: Id, { sessionId, issuedAt }: Login): boolean {
  const all = (id: string) => `(session_id = '${id}' AND before >= ?)`
  const query = `SELECT 1 FROM revoked WHERE account_id = ? AND (session_id = ? OR ${all('')} OR ${all(ALL_KEYS)}) LIMIT 1`
  return sql.exec(query, Number(accountId), sessionId, issuedAt, creationOf(sessionId)).toArray().length > 0
}

export function eraseLogins(sql: SqlStorage, accountId: Id): void {
  for (const table of ['socket_tickets', 'revoked'])
    sql.exec(`DELETE FROM ${table} WHERE account_id = ?`, Number(accountId))
}

async function hash(secret: string): Promise<string> {
  return (await sha256(secret)).toBase64()
}
