import type { Id } from '../../platform/data/ids.ts'
import { changes } from './object-sql.ts'
import type { State } from './tables.ts'

export type Member = {
  accountId: number
  state: State
  readSeq: number
  sealedKey: string | null
  hasEntered: number
  told: string
}

const memberColumns =
  'account_id AS accountId, state, read_seq AS readSeq, sealed_key AS sealedKey, has_entered AS hasEntered, told'

export class MemberRows {
  constructor(private readonly sql: SqlStorage) {}

  add(accountId: Id, state: State, hasEntered: boolean): void {
    const insert = 'INSERT INTO members (account_id, state, read_seq, has_entered) VALUES (?, ?, 0, ?)'
    this.sql.exec(insert, Number(accountId), state, Number(hasEntered))
  }

  all(): Member[] {
    return this.sql.exec<Member>(`SELECT ${memberColumns} FROM members ORDER BY account_id`).toArray()
  }

  one(accountId: Id): Member | null {
    const find = `SELECT ${memberColumns} FROM members WHERE account_id = ?`
    return this.sql.exec<Member>(find, Number(accountId)).toArray()[0] ?? null
  }

  keepTold(accountId: Id, told: string): void {
    this.sql.exec('UPDATE members SET told = ? WHERE account_id = ?', told, Number(accountId))
  }

  keepKey(accountId: Id, sealedKey: string): void {
    const keep = 'UPDATE members SET sealed_key = ? WHERE account_id = ? AND sealed_key IS NULL'
    this.sql.exec(keep, sealedKey, Number(accountId))
  }

  enter(accountId: Id): void {
    this.sql.exec('UPDATE members SET has_entered = 1 WHERE account_id = ?', Number(accountId))
  }

  moveTo(state: State, accountId: Id): boolean {
    const move = 'UPDATE members SET state = ?1 WHERE account_id = ?2 AND state <> ?1'
    return changes(this.sql, move, state, Number(accountId))
  }

  read(accountId: Id, seq: number): boolean {
    const read = `UPDATE members SET read_seq = min(?1, (SELECT last_seq FROM conversation))
      WHERE account_id = ?2 AND read_seq < min(?1, (SELECT last_seq FROM conversation))`
    return changes(this.sql, read, seq, Number(accountId))
  }

  erase(accountId: Id): void {
    this.sql.exec('DELETE FROM members WHERE account_id = ?', Number(accountId))
  }
}
