import { type Id, toId } from '../../platform/data/ids.ts'
import { migrateObject } from '../../platform/objects/migrate-object.ts'
import { outboxSchema } from '../../platform/objects/object-outbox.ts'
import type { Block, Opening, PageOf } from './facts.ts'
import type { State } from './tables.ts'

const schema = `
  CREATE TABLE conversation (id TEXT PRIMARY KEY, last_seq INTEGER, version INTEGER) WITHOUT ROWID;
  CREATE TABLE members (account_id INTEGER PRIMARY KEY, state TEXT, read_seq INTEGER, sealed_key TEXT);
  CREATE TABLE messages (seq INTEGER PRIMARY KEY, author_id INTEGER, client_id TEXT, at INTEGER, body TEXT);
  CREATE UNIQUE INDEX messages_once ON messages (author_id, client_id) WHERE author_id IS NOT NULL;
  CREATE TABLE blocks (account_id INTEGER PRIMARY KEY, event_id INTEGER, is_blocking INTEGER);`

type Head = { id: string; lastSeq: number; version: number }
export type Member = { accountId: number; state: State; readSeq: number; sealedKey: string | null }
export type Row = { seq: number; authorId: number | null; clientId: string | null; at: number; body: string | null }

const messageColumns = 'seq, author_id AS authorId, client_id AS clientId, at, body'
const memberColumns = 'account_id AS accountId, state, read_seq AS readSeq, sealed_key AS sealedKey'

/** The tables of a conversation. Bodies and keys are sealed. All methods are synchronous: a turn is a transaction. */
export class ConversationRows {
  private readonly sql: SqlStorage

  constructor(storage: DurableObjectStorage) {
    migrateObject(storage, [schema + outboxSchema])
    this.sql = storage.sql
  }

  /** Null before it was opened, and after the erasure of all members. */
  head(): Head | null {
    const rows = this.sql.exec<Head>('SELECT id, last_seq AS lastSeq, version FROM conversation').toArray()
    return rows[0] ?? null
  }

  create({ conversationId, accountId, otherId, otherState }: Opening): void {
    this.sql.exec('INSERT INTO conversation VALUES (?, 0, 1)', conversationId)
    const insert = 'INSERT INTO members VALUES (?, ?, 0, NULL)'
    this.sql.exec(insert, Number(accountId), 'active')
    this.sql.exec(insert, Number(otherId), otherState)
  }

  members(): Member[] {
    return this.sql.exec<Member>(`SELECT ${memberColumns} FROM members ORDER BY account_id`).toArray()
  }

  member(accountId: Id): Member | null {
    return this.members().find((member) => member.accountId === Number(accountId)) ?? null
  }

  keepKey(accountId: Id, sealedKey: string): void {
    const keep = 'UPDATE members SET sealed_key = ? WHERE account_id = ? AND sealed_key IS NULL'
    this.sql.exec(keep, sealedKey, Number(accountId))
  }

  /** Whether this changes the state. */
  moveTo(state: State, accountId: Id): boolean {
    const move = 'UPDATE members SET state = ?1 WHERE account_id = ?2 AND state <> ?1'
    return this.changes(move, state, Number(accountId))
  }

  /** Whether more is read now than before. */
  read(accountId: Id, seq: number): boolean {
    const read = `UPDATE members SET read_seq = min(?1, (SELECT last_seq FROM conversation))
      WHERE account_id = ?2 AND read_seq < min(?1, (SELECT last_seq FROM conversation))`
    return this.changes(read, seq, Number(accountId))
  }

  append(authorId: Id, clientId: string, at: number, body: string): Row {
    const seq = (this.head()?.lastSeq ?? 0) + 1
    this.sql.exec('INSERT INTO messages VALUES (?, ?, ?, ?, ?)', seq, Number(authorId), clientId, at, body)
    this.sql.exec('UPDATE conversation SET last_seq = ?', seq)
    return { seq, authorId: Number(authorId), clientId, at, body }
  }

  sentAs(authorId: Id, clientId: string): Row | null {
    const find = `SELECT ${messageColumns} FROM messages WHERE author_id = ? AND client_id = ?`
    return this.sql.exec<Row>(find, Number(authorId), clientId).toArray()[0] ?? null
  }

  last(): Row | null {
    return this.sql.exec<Row>(`SELECT ${messageColumns} FROM messages ORDER BY seq DESC LIMIT 1`).toArray()[0] ?? null
  }

  page({ after, cursor, backward, limit }: PageOf): Row[] {
    const [low, high] = backward ? [Math.max(after, cursor ?? 0), null] : [after, cursor]
    const where = 'seq > ?1 AND seq < ifnull(?2, 9007199254740991)'
    const order = backward ? 'ASC' : 'DESC'
    const select = `SELECT ${messageColumns} FROM messages WHERE ${where} ORDER BY seq ${order} LIMIT ?3`
    return this.sql.exec<Row>(select, low, high, limit).toArray()
  }

  /** Whether the change is later than what is stored. */
  setBlock({ accountId, eventId, isBlocking }: Block): boolean {
    const set = `INSERT INTO blocks VALUES (?1, ?2, ?3) ON CONFLICT (account_id) DO UPDATE
      SET event_id = ?2, is_blocking = ?3 WHERE event_id < ?2`
    return this.changes(set, Number(accountId), Number(eventId), Number(isBlocking))
  }

  isEnded(): boolean {
    return this.sql.exec('SELECT 1 FROM blocks WHERE is_blocking = 1 LIMIT 1').toArray().length > 0
  }

  /** A number for the copies in the inboxes, greater than all before. */
  nextVersion(): void {
    this.sql.exec('UPDATE conversation SET version = version + 1')
  }

  /** The places of the messages stay, so that the others keep their numbers. */
  erase(accountId: Id): void {
    const id = Number(accountId)
    this.sql.exec('UPDATE messages SET author_id = NULL, client_id = NULL, body = NULL WHERE author_id = ?', id)
    this.sql.exec('DELETE FROM members WHERE account_id = ?', id)
    this.sql.exec('DELETE FROM blocks WHERE account_id = ?', id)
  }

  private changes(statement: string, ...values: (string | number)[]): boolean {
    return this.sql.exec(`${statement} RETURNING 1`, ...values).toArray().length > 0
  }
}

export const idOrNull = (value: number | null): Id | null => (value === null ? null : toId(value))
