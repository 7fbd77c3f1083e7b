import { type Id, toId } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import type { Invitee } from './group-facts.ts'
import { type Role, successorOf } from './group-policy.ts'
import type { GroupMember, MemberState } from './group-rows.ts'
import type { GroupEvent } from './tables.ts'

type Told = { event: GroupEvent; actorId: Id | null; subjectId?: Id | null }

/** How accounts enter and leave a group. Each step writes its message of the system, and is one turn. */
export class GroupMemberships {
  constructor(private readonly core: ConversationCore) {}

  joined(accountId: Id): GroupMember | null {
    const member = this.core.rows.group.exists() ? this.core.rows.group.member(accountId) : null
    return member?.state === 'active' ? member : null
  }

  found(ownerId: Id, invitees: readonly Invitee[]): void {
    const { group } = this.core.rows
    const start = { since: Date.now(), fromSeq: 0, readSeq: 0, invitedBy: null }
    group.put({ ...start, accountId: Number(ownerId), state: 'active', role: 'owner' })
    for (const { accountId, follows } of invitees) {
      if (follows) group.put({ ...start, accountId: Number(accountId), state: 'active', invitedBy: Number(ownerId) })
    }
    this.tell({ event: 'created', actorId: ownerId })
    for (const { accountId, follows } of invitees) if (!follows) this.invite(ownerId, accountId)
  }

  /** Who has left on its own comes back only if it wants to. */
  add(by: Id, { accountId, follows }: Invitee): void {
    const known = this.core.rows.group.member(accountId)?.state
    if (known === 'asking' || (follows && known !== 'left')) this.join(accountId, by, by)
    else this.invite(by, accountId)
  }

  join(accountId: Id, actorId: Id, invitedBy: Id | null = null): void {
    const { group } = this.core.rows
    const lastSeq = this.lastSeq()
    const fromSeq = group.one()?.visibleFrom ?? lastSeq
    group.put({
      accountId: Number(accountId),
      state: 'active',
      since: Date.now(),
      fromSeq,
      readSeq: lastSeq,
      invitedBy: invitedBy && Number(invitedBy),
    })
    this.tell({ event: 'joined', actorId, subjectId: accountId })
  }

  /** The row stays, so that inviting the account again changes nothing. */
  decline(accountId: Id): void {
    if (this.core.rows.members.moveTo('declined', accountId)) this.core.announceTo(accountId)
  }

  ask(accountId: Id): void {
    this.place(accountId, 'asking', 0)
  }

  refuse({ accountId, fromSeq }: GroupMember): void {
    this.place(toId(accountId), 'left', fromSeq)
    this.core.rows.group.forget(accountId)
  }

  remove(by: Id, { accountId, state }: GroupMember): void {
    this.place(toId(accountId), 'removed', this.lastSeq())
    if (state === 'active') this.tell({ event: 'removed', actorId: by, subjectId: toId(accountId) })
  }

  /** The last one closes the group. */
  leave(accountId: Id): null {
    const wasOwner = this.joined(accountId)?.role === 'owner'
    const heir = wasOwner ? this.heirOf(accountId) : null
    this.place(accountId, 'left', this.lastSeq())
    this.tell({ event: 'left', actorId: accountId, subjectId: accountId })
    if (heir) this.handOver(null, heir)
    this.closeIfEmpty()
    return null
  }

  setRole(by: Id, target: GroupMember, role: Role): void {
    if (target.role === role) return
    if (role === 'owner') {
      this.core.rows.group.setRole(Number(by), 'admin')
      this.handOver(by, target)
      return
    }
    this.core.rows.group.setRole(target.accountId, role)
    const event = role === 'admin' ? 'promoted' : 'demoted'
    this.tell({ event, actorId: by, subjectId: toId(target.accountId) })
  }

  heirOf(accountId: Id): GroupMember | null {
    return successorOf(this.core.rows.group.joined().filter((member) => member.accountId !== Number(accountId)))
  }

  handOver(by: Id | null, heir: GroupMember): void {
    this.core.rows.group.setRole(heir.accountId, 'owner')
    this.tell({ event: 'handed_over', actorId: by, subjectId: toId(heir.accountId) })
  }

  closeIfEmpty(): void {
    const { group } = this.core.rows
    if (group.count('active') > 0) return
    this.core.announceTo(...group.closeRequests().map(({ accountId }) => toId(accountId)))
  }

  /** A message of the system: it has a place in the one order, ids and no text. */
  tell({ event, actorId, subjectId = null }: Told): void {
    const { rows } = this.core
    const seq = rows.messages.appendEmpty(Date.now(), rows.nextVersion())
    rows.group.addEvent(seq, {
      event,
      actorId: actorId && Number(actorId),
      subjectId: subjectId && Number(subjectId),
    })
    if (actorId && this.joined(actorId)?.readSeq === seq - 1) rows.members.read(actorId, seq)
    this.core.announceTo(...this.core.memberIds())
  }

  private invite(by: Id, accountId: Id): void {
    this.place(accountId, 'request', this.lastSeq(), by)
  }

  private place(accountId: Id, state: MemberState, lastSeq: number, invitedBy: Id | null = null): void {
    const readSeq = state === 'request' ? lastSeq - 1 : lastSeq
    const row = { accountId: Number(accountId), state, since: Date.now(), fromSeq: lastSeq, readSeq }
    this.core.rows.group.put({ ...row, invitedBy: invitedBy && Number(invitedBy) })
    this.core.announceTo(accountId)
  }

  private lastSeq(): number {
    return this.core.rows.head()?.lastSeq ?? 0
  }
}
