import { type Id, toId } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import {
  type GroupChange,
  type GroupCreation,
  type GroupRefusal,
  type Joining,
  type LinkPreview,
  MAX_MEMBERS,
  type MembersOf,
  type StoredGroup,
  type StoredMember,
} from './group-facts.ts'
import { nameOf, nameSealedBy } from './group-inbox.ts'
import { GroupMemberships } from './group-memberships.ts'
import { type Act, mayDo, type Role } from './group-policy.ts'
import type { GroupMember } from './group-rows.ts'

type ChangeOf<K extends GroupChange['kind']> = Extract<GroupChange, { kind: K }>

/** The members of a group, their roles, and its settings. */
export class GroupState {
  readonly memberships: GroupMemberships

  constructor(private readonly core: ConversationCore) {
    this.memberships = new GroupMemberships(core)
  }

  /** False if the id was used for another group, with another name or other members. */
  async create({ conversationId, ownerId, name, invitees, fingerprint }: GroupCreation): Promise<boolean> {
    const { rows } = this.core
    if (rows.head() === null) {
      rows.create(conversationId)
      rows.group.create(fingerprint)
      this.memberships.found(ownerId, invitees)
    }
    const group = rows.group.one()
    if (group?.fingerprint !== fingerprint) return false
    if (group.namedBy === null && this.memberships.joined(ownerId)) await this.rename(ownerId, name)
    await this.core.tryOutbox()
    return true
  }

  read(accountId: Id): Promise<StoredGroup | null> {
    const member = this.memberships.joined(accountId)
    return member ? this.viewFor(member) : Promise.resolve(null)
  }

  /** Those who asked to join are listed for those who may decide. */
  members(wanted: MembersOf): StoredMember[] | GroupRefusal {
    const { rows } = this.core
    if (!this.core.isMember(wanted.accountId)) return 'absent'
    const member = rows.group.member(wanted.accountId)
    if (wanted.state === 'asking' && (!member || !this.may('decide', member))) return 'forbidden'
    return rows.group.page(wanted)
  }

  async change(by: Id, change: GroupChange): Promise<GroupRefusal | null> {
    const member = this.memberships.joined(by)
    if (!member) return 'absent'
    const refusal = await this.perform(member, by, change)
    if (refusal === null) await this.core.tryOutbox()
    return refusal
  }

  /** Null for a wrong, revoked or expired link, and for whom the group has removed. */
  async preview(accountId: Id, hash: string): Promise<LinkPreview | null> {
    const link = this.linkOf(accountId, hash)
    const owner = this.core.rows.group.joined().find(({ role }) => role === 'owner')
    if (!link || !owner) return null
    const rest = { name: await nameOf(this.core), memberCount: this.core.rows.group.count('active') }
    return { ...link, ...rest, ownerId: toId(owner.accountId) }
  }

  /** `ownerId`: for whom the rule of the link was checked. */
  async join({ accountId, hash, ownerId }: Joining): Promise<'joined' | 'asked' | GroupRefusal> {
    const { group } = this.core.rows
    const [link, known] = [this.linkOf(accountId, hash), group.member(accountId)]
    if (!link || group.member(ownerId)?.role !== 'owner') return 'absent'
    if (known?.state === 'active') return 'joined'
    if (known?.state !== 'request' && this.isFull(1)) return 'full'
    const outcome = link.approval && known?.state !== 'request' ? 'asked' : 'joined'
    if (outcome === 'asked') this.memberships.ask(accountId)
    else this.memberships.join(accountId, accountId)
    await this.core.tryOutbox()
    return outcome
  }

  /** False if the account has no invitation, or the group is full meanwhile. */
  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    const member = this.core.rows.group.member(accountId)
    if (member?.state === state) return true
    const isInvited = member?.state === 'request' || (member?.state === 'declined' && !this.isFull(1))
    if (!isInvited) return false
    if (state === 'active') this.memberships.join(accountId, accountId)
    else this.memberships.decline(accountId)
    await this.core.tryOutbox()
    return true
  }

  /** Before an erasure, because the key of the account seals the name. */
  async keepName(accountId: Id): Promise<void> {
    const { namedBy = null } = this.core.rows.group.one() ?? {}
    const heir = this.memberships.heirOf(accountId)
    const name = namedBy === Number(accountId) && heir ? await nameOf(this.core) : null
    if (heir && name) await this.rename(toId(heir.accountId), name)
  }

  private async perform(member: GroupMember, by: Id, change: GroupChange): Promise<GroupRefusal | null> {
    if (change.kind === 'add') return this.add(member, by, change)
    if (change.kind === 'leave') return this.memberships.leave(by)
    if (change.kind === 'remove') return this.remove(member, by, change.accountId)
    if (change.kind === 'set-role') return this.setRole(member, by, change)
    if (change.kind === 'edit') return this.edit(member, by, change)
    if (change.kind === 'link') return this.setLink(member, change)
    return this.decide(member, by, change)
  }

  private add(member: GroupMember, by: Id, { invitees }: ChangeOf<'add'>): GroupRefusal | null {
    const { group } = this.core.rows
    if (!this.may('add', member)) return 'forbidden'
    const isNew = ({ accountId }: { accountId: Id }) => {
      const state = group.member(accountId)?.state
      return state !== 'active' && state !== 'request' && state !== 'declined'
    }
    const added = invitees.filter(isNew)
    if (this.isFull(added.length)) return 'full'
    for (const invitee of added) this.memberships.add(by, invitee)
    return null
  }

  private remove(member: GroupMember, by: Id, accountId: Id): GroupRefusal | null {
    if (by === accountId) return this.memberships.leave(by)
    const target = this.core.rows.group.member(accountId)
    if (!this.may('remove', member, target?.role ?? 'member')) return 'forbidden'
    const isHere = target?.state === 'active' || target?.state === 'request' || target?.state === 'declined'
    if (!target || !isHere) return 'absent'
    if (target.state !== 'declined') this.memberships.remove(by, target)
    return null
  }

  private setRole(member: GroupMember, by: Id, { accountId, role }: ChangeOf<'set-role'>): GroupRefusal | null {
    const target = this.memberships.joined(accountId)
    if (!this.may('set-role', member, target?.role ?? null)) return 'forbidden'
    if (!target) return 'absent'
    this.memberships.setRole(by, target, role)
    return null
  }

  private async edit(member: GroupMember, by: Id, change: ChangeOf<'edit'>): Promise<GroupRefusal | null> {
    if (!this.may('edit', member)) return 'forbidden'
    if (change.name !== undefined && change.name !== (await nameOf(this.core))) {
      await this.rename(by, change.name)
      this.memberships.tell({ event: 'renamed', actorId: by })
    }
    const group = this.core.rows.group.one()
    if (!group) return 'absent'
    const { locked = group.locked === 1, historyVisible = group.historyVisible === 1, adding = group.adding } = change
    this.core.rows.group.set({ locked, historyVisible, adding })
    if (Number(locked) !== group.locked) this.memberships.tell({ event: locked ? 'locked' : 'unlocked', actorId: by })
    return null
  }

  private setLink(member: GroupMember, { link }: ChangeOf<'link'>): GroupRefusal | null {
    if (!this.may('edit', member)) return 'forbidden'
    this.core.rows.group.setLink(link)
    return null
  }

  private decide(member: GroupMember, by: Id, { kind, accountId }: ChangeOf<'approve' | 'refuse'>) {
    if (!this.may('decide', member)) return 'forbidden'
    const asking = this.core.rows.group.member(accountId)
    if (asking?.state !== 'asking') return 'absent'
    if (kind === 'refuse') this.memberships.refuse(asking)
    else if (this.isFull(1)) return 'full'
    else this.memberships.join(accountId, by)
    return null
  }

  /** The name changes for all at once with its version, so an edit and its inboxes agree. */
  private async rename(by: Id, name: string): Promise<void> {
    const sealed = await this.core.keys.seal(nameSealedBy(by), { text: name, entities: [] })
    if (sealed === null) return
    this.core.rows.group.rename(sealed, by)
    this.core.announceTo(...this.core.memberIds())
  }

  private linkOf(accountId: Id, hash: string) {
    const { group } = this.core.rows
    const { linkHash, linkAudience: audience, linkApproval, linkExpiresAt: expiresAt } = group.one() ?? {}
    if (!linkHash || linkHash !== hash || !audience || (expiresAt && expiresAt <= Date.now())) return null
    if (group.member(accountId)?.state === 'removed') return null
    return { audience, approval: linkApproval === 1, expiresAt: expiresAt ?? null }
  }

  private isFull(more: number): boolean {
    return this.core.rows.group.count('active', 'request') + more > MAX_MEMBERS
  }

  private may(act: Act, { role }: GroupMember, target?: Role | null): boolean {
    const { locked = 0, adding = 'admins' } = this.core.rows.group.one() ?? {}
    return mayDo({ act, role, target, locked: locked === 1, adding })
  }

  private async viewFor(member: GroupMember): Promise<StoredGroup | null> {
    const name = await nameOf(this.core)
    const [head, group] = [this.core.rows.head(), this.core.rows.group.one()]
    if (!head || !group) return null
    const { linkHash, linkAudience: audience, linkApproval, linkExpiresAt: expiresAt } = group
    const showsLink = linkHash !== null && this.may('edit', member)
    return {
      conversationId: head.id,
      name,
      role: member.role,
      memberCount: this.core.rows.group.count('active'),
      locked: group.locked === 1,
      historyVisible: group.historyVisible === 1,
      adding: group.adding,
      link: showsLink ? { audience, approval: linkApproval === 1, expiresAt } : null,
    }
  }
}
