import { type Id, toId } from '../../platform/data/ids.ts'
import type { Reaction } from './facts.ts'
import { changes } from './object-sql.ts'

export const MAX_REACTIONS = 5
const MAX_KINDS = 20

export class ReactionRows {
  constructor(private readonly sql: SqlStorage) {}

  of(seq: number): Reaction[] {
    const select = 'SELECT account_id AS accountId, emoji, at FROM reactions WHERE seq = ? ORDER BY at, account_id'
    const rows = this.sql.exec<{ accountId: number; emoji: string; at: number }>(select, seq).toArray()
    return rows.map((row) => ({ ...row, accountId: toId(row.accountId) }))
  }

  by(accountId: Id): (Reaction & { seq: number })[] {
    const select = 'SELECT seq, emoji, at FROM reactions WHERE account_id = ? ORDER BY seq, at'
    const rows = this.sql.exec<{ seq: number; emoji: string; at: number }>(select, Number(accountId)).toArray()
    return rows.map((row) => ({ ...row, accountId }))
  }

  /** Whether this changes something. `full`: the account, or all together, have reacted with too many kinds. */
  add(seq: number, accountId: Id, emoji: string): boolean | 'full' {
    const given = this.of(seq)
    const own = given.filter((reaction) => reaction.accountId === accountId)
    if (own.some((reaction) => reaction.emoji === emoji)) return false
    const kinds = new Set(given.map((reaction) => reaction.emoji))
    if (own.length >= MAX_REACTIONS || (!kinds.has(emoji) && kinds.size >= MAX_KINDS)) return 'full'
    this.sql.exec('INSERT INTO reactions VALUES (?, ?, ?, ?)', seq, Number(accountId), emoji, Date.now())
    return true
  }

  /** Whether this changes something. */
  remove(seq: number, accountId: Id, emoji: string): boolean {
    const remove = 'DELETE FROM reactions WHERE seq = ? AND account_id = ? AND emoji = ?'
    return changes(this.sql, remove, seq, Number(accountId), emoji)
  }

  clear(seq: number): void {
    this.sql.exec('DELETE FROM reactions WHERE seq = ?', seq)
  }

  /** What the account reacted to gets a revision, too. */
  erase(accountId: Id, revision: number): void {
    const id = Number(accountId)
    const touched = 'SELECT seq FROM reactions WHERE account_id = ?'
    this.sql.exec(`UPDATE messages SET revision = ? + seq WHERE seq IN (${touched})`, revision, id)
    const written = 'SELECT seq FROM messages WHERE author_id = ?1'
    this.sql.exec(`DELETE FROM reactions WHERE account_id = ?1 OR seq IN (${written})`, id)
  }
}
