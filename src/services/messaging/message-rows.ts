import { type Id, toId } from '../../platform/data/ids.ts'
import type { ChangesSince, PageOf, WrittenAfter } from './facts.ts'
import { changes } from './object-sql.ts'

export type Row = {
  seq: number
  authorId: number | null
  clientId: string | null
  at: number
  body: string | null
  revision: number
  edits: number
  editedAt: number | null
  isDeleted: number
  replyTo: number | null
  isPinned: number
}
type Change = { seq: number; revision: number; isHidden: number }
type Version = { number: number; at: number; body: string }
type Appended = { authorId: Id; clientId: string; at: number; body: string; revision: number; replyTo: number | null }

const columns = `seq, author_id AS authorId, client_id AS clientId, at, body, revision, edits, edited_at AS editedAt,
  is_deleted AS isDeleted, reply_to AS replyTo, is_pinned AS isPinned`
const isShown = `NOT EXISTS (SELECT 1 FROM hidden WHERE hidden.account_id = ?1 AND hidden.seq = messages.seq)
  AND seq > ifnull((SELECT from_seq FROM members WHERE account_id = ?1), 0)`
const changed = `
  SELECT seq, revision, 0 AS isHidden FROM messages WHERE revision > ?2 AND ${isShown}
  UNION ALL SELECT seq, revision, 1 FROM hidden WHERE account_id = ?1 AND revision > ?2`

const NEWS_SEARCHED = 200
const NEWS_AUTHORS = 20

/** A viewer is an account that reads: what it has hidden does not exist for it. */
export class MessageRows {
  constructor(private readonly sql: SqlStorage) {}

  append({ authorId, clientId, at, body, revision, replyTo }: Appended): number {
    const seq = this.nextSeq()
    const insert = `INSERT INTO messages (seq, author_id, client_id, at, body, revision, reply_to)
      VALUES (?, ?, ?, ?, ?, ?, ?)`
    this.sql.exec(insert, seq, Number(authorId), clientId, at, body, revision, replyTo)
    return seq
  }

  /** A place without an author and a text, for a message of the system. */
  appendEmpty(at: number, revision: number): number {
    const seq = this.nextSeq()
    this.sql.exec('INSERT INTO messages (seq, at, revision) VALUES (?, ?, ?)', seq, at, revision)
    return seq
  }

  sentAs(authorId: Id, clientId: string): Row | null {
    return this.first('author_id = ? AND client_id = ?', Number(authorId), clientId)
  }

  /** Also one that the author does not see any more, because it has left. */
  authored(authorId: Id, seq: number): Row | null {
    return this.first('author_id = ? AND seq = ?', Number(authorId), seq)
  }

  one(viewerId: Id, seq: number): Row | null {
    return this.first(`${isShown} AND seq = ?2`, Number(viewerId), seq)
  }

  any(seq: number): Row | null {
    return this.first('seq = ?', seq)
  }

  last(viewerId: Id): Row | null {
    return this.first(`${isShown} ORDER BY seq DESC LIMIT 1`, Number(viewerId))
  }

  page({ accountId, after, cursor, backward, limit }: PageOf): Row[] {
    const [low, high] = backward ? [Math.max(after, cursor ?? 0), null] : [after, cursor]
    const where = `${isShown} AND seq > ?2 AND seq < ifnull(?3, 9007199254740991)`
    const order = backward ? 'ASC' : 'DESC'
    const select = `SELECT ${columns} FROM messages WHERE ${where} ORDER BY seq ${order} LIMIT ?4`
    return this.sql.exec<Row>(select, Number(accountId), low, high, limit).toArray()
  }

  written({ accountId, after, limit }: WrittenAfter): Row[] {
    const select = `SELECT ${columns} FROM messages WHERE author_id = ? AND seq > ? ORDER BY seq LIMIT ?`
    return this.sql.exec<Row>(select, Number(accountId), after, limit).toArray()
  }

  /** The last change of each message after a revision, oldest first. */
  changes({ accountId, since, limit }: ChangesSince): Change[] {
    return this.sql.exec<Change>(`${changed} ORDER BY revision LIMIT ?3`, Number(accountId), since, limit).toArray()
  }

  revision(viewerId: Id): number {
    const [change] = this.sql.exec<Change>(`${changed} ORDER BY revision DESC LIMIT 1`, Number(viewerId), 0).toArray()
    return change?.revision ?? 0
  }

  /** The message up to `seq` that was changed last, if one was after the revision. */
  changedAfter(viewerId: Id, revision: number, seq: number): number | null {
    const select = `SELECT seq FROM (${changed}) WHERE seq <= ?3 ORDER BY revision DESC LIMIT 1`
    return this.sql.exec<{ seq: number }>(select, Number(viewerId), revision, seq).toArray()[0]?.seq ?? null
  }

  /** The newest message of another author after a number. */
  newestOfOthers(viewerId: Id, seq: number): Row | null {
    const isOfOther = 'author_id IS NOT NULL AND author_id <> ?1 AND is_deleted = 0'
    return this.first(`${isShown} AND seq > ?2 AND ${isOfOther} ORDER BY seq DESC LIMIT 1`, Number(viewerId), seq)
  }

  /** The newest unread message of each author, newest first, of those after a number. */
  latestOfOthers(viewerId: Id, seq: number): Row[] {
    const isUnread = `${isShown} AND seq > ?2 AND author_id IS NOT NULL AND author_id <> ?1 AND is_deleted = 0`
    const newest = `SELECT * FROM messages WHERE ${isUnread} ORDER BY seq DESC LIMIT ${NEWS_SEARCHED}`
    const select = `SELECT ${columns}, max(seq) FROM (${newest}) GROUP BY author_id ORDER BY seq DESC LIMIT ${NEWS_AUTHORS}`
    return this.sql.exec<Row>(select, Number(viewerId), seq).toArray()
  }

  hiddenAfter(viewerId: Id, seq: number): number {
    const count = 'SELECT count(*) AS n FROM hidden WHERE account_id = ? AND seq > ?'
    return this.sql.exec<{ n: number }>(count, Number(viewerId), seq).one().n
  }

  edit({ seq, edits, editedAt, at, body }: Row, edited: { at: number; body: string; revision: number }): void {
    this.sql.exec('INSERT INTO edits VALUES (?, ?, ?, ?)', seq, edits, editedAt ?? at, body)
    const update = 'UPDATE messages SET body = ?, edits = edits + 1, edited_at = ?, revision = ? WHERE seq = ?'
    this.sql.exec(update, edited.body, edited.at, edited.revision, seq)
  }

  versions(seq: number): Version[] {
    return this.sql.exec<Version>('SELECT number, at, body FROM edits WHERE seq = ? ORDER BY number', seq).toArray()
  }

  /** Its place stays, with author and client id, so that a repeated send does not send it again. */
  delete(seq: number, revision: number): void {
    const empty = 'body = NULL, edits = 0, edited_at = NULL, is_deleted = 1, is_pinned = 0, reply_to = NULL'
    this.sql.exec(`UPDATE messages SET ${empty}, revision = ? WHERE seq = ?`, revision, seq)
    this.sql.exec('DELETE FROM edits WHERE seq = ?', seq)
  }

  /** Whether this changes something. */
  hide(viewerId: Id, seq: number, revision: number): boolean {
    return changes(this.sql, 'INSERT OR IGNORE INTO hidden VALUES (?, ?, ?)', Number(viewerId), seq, revision)
  }

  touch(seq: number, revision: number): void {
    this.sql.exec('UPDATE messages SET revision = ? WHERE seq = ?', revision, seq)
  }

  /** Gives the newest answers revisions of their own, and returns whether there are some. */
  touchAnswers(seq: number, revision: number): boolean {
    const newest = 'SELECT seq FROM messages WHERE reply_to = ?2 ORDER BY seq DESC LIMIT 100'
    return changes(this.sql, `UPDATE messages SET revision = ?1 + seq WHERE seq IN (${newest})`, revision, seq)
  }

  pinned(viewerId: Id): Row[] {
    const select = `SELECT ${columns} FROM messages WHERE is_pinned = 1 AND ${isShown} ORDER BY seq DESC`
    return this.sql.exec<Row>(select, Number(viewerId)).toArray()
  }

  /** Whether this changes something. */
  pin(seq: number, isPinned: boolean): boolean {
    return changes(
      this.sql,
      'UPDATE messages SET is_pinned = ?1 WHERE seq = ?2 AND is_pinned <> ?1',
      Number(isPinned),
      seq,
    )
  }

  pinCount(): number {
    return this.sql.exec<{ n: number }>('SELECT count(*) AS n FROM messages WHERE is_pinned = 1').one().n
  }

  erase(accountId: Id, revision: number): void {
    const id = Number(accountId)
    const own = 'SELECT seq FROM messages WHERE author_id = ?'
    this.sql.exec(`DELETE FROM edits WHERE seq IN (${own})`, id)
    this.sql.exec(`UPDATE messages SET revision = ? + seq WHERE reply_to IN (${own})`, revision, id)
    const empty = 'author_id = NULL, client_id = NULL, body = NULL, edits = 0, edited_at = NULL, is_deleted = 0'
    this.sql.exec(
      `UPDATE messages SET ${empty}, is_pinned = 0, reply_to = NULL, revision = ? + seq WHERE author_id = ?`,
      revision,
      id,
    )
    this.sql.exec('DELETE FROM hidden WHERE account_id = ?', id)
  }

  private nextSeq(): number {
    const next = 'UPDATE conversation SET last_seq = last_seq + 1 RETURNING last_seq AS seq'
    return this.sql.exec<{ seq: number }>(next).one().seq
  }

  private first(where: string, ...values: (string | number)[]): Row | null {
    return this.sql.exec<Row>(`SELECT ${columns} FROM messages WHERE ${where}`, ...values).toArray()[0] ?? null
  }
}

export const idOrNull = (value: number | null): Id | null => (value === null ? null : toId(value))
