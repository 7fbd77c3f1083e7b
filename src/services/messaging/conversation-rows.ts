import type { Id } from '../../platform/data/ids.ts'
import { migrateObject } from '../../platform/objects/migrate-object.ts'
import { conversationSteps } from './conversation-schema.ts'
import type { Block } from './facts.ts'
import { GroupRows } from './group-rows.ts'
import { MemberRows } from './member-rows.ts'
import { MessageRows } from './message-rows.ts'
import { changes } from './object-sql.ts'

type Head = { id: string; lastSeq: number; version: number }

/** The tables of a conversation. Bodies and keys are sealed. All methods are synchronous: a turn is a transaction. */
export class ConversationRows {
  readonly members: MemberRows
  readonly messages: MessageRows
  readonly group: GroupRows
  private readonly sql: SqlStorage

  constructor(storage: DurableObjectStorage) {
    migrateObject(storage, conversationSteps)
    this.sql = storage.sql
    this.members = new MemberRows(this.sql)
    this.messages = new MessageRows(this.sql)
    this.group = new GroupRows(this.sql)
  }

  /** Null before it was opened, and after the erasure of all members. */
  head(): Head | null {
    const rows = this.sql.exec<Head>('SELECT id, last_seq AS lastSeq, version FROM conversation').toArray()
    return rows[0] ?? null
  }

  create(conversationId: string): void {
    this.sql.exec('INSERT INTO conversation VALUES (?, 0, 1)', conversationId)
  }

  /** Whether this changes something. */
  setBlock({ accountId, isBlocking }: Block): boolean {
    const unblock = 'DELETE FROM blocks WHERE account_id = ?'
    return changes(this.sql, isBlocking ? 'INSERT OR IGNORE INTO blocks VALUES (?)' : unblock, Number(accountId))
  }

  isBlocked(): boolean {
    return this.sql.exec('SELECT 1 FROM blocks LIMIT 1').toArray().length > 0
  }

  /** A number greater than all before, also after the object was restored from a backup. */
  nextVersion(now = Date.now()): number {
    const next = 'UPDATE conversation SET version = max(version + 1, ?) RETURNING version'
    return this.sql.exec<{ version: number }>(next, now).one().version
  }

  /** The places of the messages stay, so that the others keep their numbers. */
  erase(accountId: Id): void {
    this.messages.erase(accountId, this.nextVersion())
    // Each erased message has got a revision of its own.
    this.sql.exec('UPDATE conversation SET version = version + last_seq')
    this.members.erase(accountId)
    this.group.erase(accountId)
    this.sql.exec('DELETE FROM blocks WHERE account_id = ?', Number(accountId))
  }
}
