import { type Id, toId } from '../../platform/data/ids.ts'
import type { LinkRule, MembersOf, StoredMember } from './group-facts.ts'
import type { Adding, Role } from './group-policy.ts'
import type { GroupEvent } from './tables.ts'

/** `asking`: waits for an admin; `removed`: comes back only if it is added again. */
export type MemberState = 'active' | 'request' | 'declined' | 'left' | 'removed' | 'asking'
export type GroupMember = {
  accountId: number
  state: MemberState
  role: Role
  since: number
  fromSeq: number
  readSeq: number
  invitedBy: number | null
}
type Group = {
  name: string | null
  namedBy: number | null
  fingerprint: string
  locked: number
  visibleFrom: number | null
  adding: Adding
  linkHash: string | null
  linkAudience: LinkRule['audience']
  linkApproval: number
  linkExpiresAt: number | null
}
type Event = { event: GroupEvent; actorId: number | null; subjectId: number | null }

const groupColumns = `name, named_by AS namedBy, fingerprint, locked, visible_from AS visibleFrom, adding,
  link_hash AS linkHash, link_audience AS linkAudience, link_approval AS linkApproval, link_expires_at AS linkExpiresAt`
const memberColumns =
  'account_id AS accountId, state, role, since, from_seq AS fromSeq, read_seq AS readSeq, invited_by AS invitedBy'

/** Only in the object of a group. `from_seq` of a member: it sees the messages after this one. */
export const groupSchema = `
  CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT, named_by INTEGER, fingerprint TEXT, locked INTEGER DEFAULT 0,
    visible_from INTEGER, adding TEXT DEFAULT 'everyone', link_hash TEXT, link_audience TEXT DEFAULT 'anyone',
    link_approval INTEGER DEFAULT 0, link_expires_at INTEGER);
  CREATE TABLE group_events (seq INTEGER PRIMARY KEY, event TEXT, actor_id INTEGER, subject_id INTEGER);
  ALTER TABLE members ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
  ALTER TABLE members ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE members ADD COLUMN from_seq INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE members ADD COLUMN invited_by INTEGER;
  CREATE INDEX members_by_state ON members (state);`

export class GroupRows {
  constructor(private readonly sql: SqlStorage) {}

  /** Null for a pair. */
  one(): Group | null {
    return this.sql.exec<Group>(`SELECT ${groupColumns} FROM groups`).toArray()[0] ?? null
  }

  exists(): boolean {
    return this.sql.exec('SELECT 1 FROM groups').toArray().length > 0
  }

  create(fingerprint: string): void {
    this.sql.exec('INSERT INTO groups (id, fingerprint) VALUES (1, ?)', fingerprint)
  }

  rename(name: string | null, by: Id | null): void {
    this.sql.exec('UPDATE groups SET name = ?, named_by = ?', name, by === null ? null : Number(by))
  }

  /** New members see the messages after `visibleFrom`, or if it is null, those sent after they joined. */
  set({ locked, visibleFrom, adding }: { locked: boolean; visibleFrom: number | null; adding: Adding }): void {
    const update = 'UPDATE groups SET locked = ?, visible_from = ?, adding = ?'
    this.sql.exec(update, Number(locked), visibleFrom, adding)
  }

  setLink(link: (LinkRule & { hash: string }) | null): void {
    const update = 'UPDATE groups SET link_hash = ?, link_audience = ?, link_approval = ?, link_expires_at = ?'
    const { hash = null, audience = 'anyone', approval = false, expiresAt = null } = link ?? {}
    this.sql.exec(update, hash, audience, Number(approval), expiresAt)
  }

  member(accountId: Id): GroupMember | null {
    const find = `SELECT ${memberColumns} FROM members WHERE account_id = ?`
    return this.sql.exec<GroupMember>(find, Number(accountId)).toArray()[0] ?? null
  }

  joined(): GroupMember[] {
    return this.sql.exec<GroupMember>(`SELECT ${memberColumns} FROM members WHERE state = 'active'`).toArray()
  }

  count(...states: readonly MemberState[]): number {
    const among = states.map(() => '?').join(', ')
    const count = `SELECT count(*) AS n FROM members WHERE state IN (${among})`
    return this.sql.exec<{ n: number }>(count, ...states).one().n
  }

  /** Adds the account or changes what it is here. Its key stays. */
  put(member: Omit<GroupMember, 'role'> & { role?: Role }): void {
    const { accountId, state, since, fromSeq, readSeq, invitedBy, role = 'member' } = member
    const upsert = `INSERT INTO members (account_id, state, role, since, from_seq, read_seq, invited_by, has_entered, told)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, '0') ON CONFLICT (account_id) DO UPDATE SET
      state = ?2, role = ?3, since = ?4, from_seq = ?5, read_seq = ?6, invited_by = ?7`
    this.sql.exec(upsert, accountId, state, role, since, fromSeq, readSeq, invitedBy)
  }

  setRole(accountId: number, role: Role): void {
    this.sql.exec('UPDATE members SET role = ? WHERE account_id = ?', role, accountId)
  }

  /** In a pair both, because the folder of the other is its own matter. */
  page({ state, cursor, backward, limit }: MembersOf): StoredMember[] {
    const [compare, order] = backward ? ['>', 'ASC'] : ['<', 'DESC']
    const beyond = `account_id ${compare} ifnull(?2, ${backward ? 0 : '9007199254740991'})`
    const select = `SELECT account_id AS accountId, role, since FROM members
      WHERE (state = ?1 OR NOT EXISTS (SELECT 1 FROM groups)) AND ${beyond} ORDER BY account_id ${order} LIMIT ?3`
    const rows = this.sql.exec<{ accountId: number; role: Role; since: number }>(select, state, cursor, limit).toArray()
    return rows.map(({ accountId, ...row }) => ({ ...row, accountId: toId(accountId) }))
  }

  addEvent(seq: number, { event, actorId, subjectId }: Event): void {
    this.sql.exec('INSERT INTO group_events VALUES (?, ?, ?, ?)', seq, event, actorId, subjectId)
  }

  event(seq: number): Event | null {
    const select = 'SELECT event, actor_id AS actorId, subject_id AS subjectId FROM group_events WHERE seq = ?'
    return this.sql.exec<Event>(select, seq).toArray()[0] ?? null
  }

  /** Forgets an account of which nothing else is stored here. */
  forget(accountId: number): void {
    const traces = `SELECT 1 FROM messages WHERE author_id = ?1 UNION ALL SELECT 1 FROM groups WHERE named_by = ?1
      UNION ALL SELECT 1 FROM group_events WHERE ?1 IN (actor_id, subject_id)
      UNION ALL SELECT 1 FROM members WHERE invited_by = ?1`
    this.sql.exec(`DELETE FROM members WHERE account_id = ?1 AND NOT EXISTS (${traces})`, accountId)
  }

  /** Whoever has not joined does not join any more. */
  closeRequests(): GroupMember[] {
    const close = `UPDATE members SET state = 'removed' WHERE state IN ('request', 'declined', 'asking') RETURNING ${memberColumns}`
    return this.sql.exec<GroupMember>(close).toArray()
  }

  erase(accountId: Id): void {
    const id = Number(accountId)
    this.sql.exec('UPDATE group_events SET actor_id = NULL WHERE actor_id = ?', id)
    this.sql.exec('UPDATE group_events SET subject_id = NULL WHERE subject_id = ?', id)
    this.sql.exec('UPDATE members SET invited_by = NULL WHERE invited_by = ?', id)
    this.sql.exec('UPDATE groups SET name = NULL, named_by = NULL WHERE named_by = ?', id)
  }
}
