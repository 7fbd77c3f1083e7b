import { type Id, toId } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import {
  type GroupChange,
  type GroupCreation,
  type GroupRefusal,
  type Joining,
  type LinkPreview,
  MAX_ASKING,
  MAX_MEMBERS,
  type MembersOf,
  type StoredGroup,
  type StoredMember,
} from './group-facts.ts'
import { nameOf, nameSealedBy } from './group-inbox.ts'
import { GroupMemberships } from './group-memberships.ts'
import { type Act, mayDo, type Role } from './group-policy.ts'
import type { GroupMember } from './group-rows.ts'
import { idOrNull } from './message-rows.ts'
import { areApart } from './shown-accounts.ts'

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
    if (group.namedBy === null && this.memberships.joined(ownerId)) await this.rename(ownerId, name, null)
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
    if (!member) return change.kind === 'leave' && this.core.rows.group.member(by)?.state === 'left' ? null : 'absent'
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
    if (outcome === 'asked' && group.count('asking') >= MAX_ASKING) return 'full'
    if (outcome === 'asked') this.memberships.ask(accountId)
    else this.memberships.join(accountId, accountId)
    await this.core.tryOutbox()
    return outcome
  }

  /** False if the account has no invitation, or the group is full meanwhile. */
  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    const { group } = this.core.rows
    const inviter = group.member(accountId)?.invitedBy
    const isApart = state === 'active' && inviter && (await areApart(this.core.context(), accountId, toId(inviter)))
    const member = group.member(accountId)
    if (member?.state === state) return true
    const isInvited = member?.state === 'request' || (member?.state === 'declined' && !this.isFull(1))
    if (!isInvited || isApart || group.count('active') === 0) return false
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
    if (heir && name) await this.rename(toId(heir.accountId), name, accountId)
  }

  private async perform(member: GroupMember, by: Id, change: GroupChange): Promise<GroupRefusal | null> {
    if (change.kind === 'add') return this.add(member, by, change)
    if (change.kind === 'leave') return this.memberships.leave(by)
    if (change.kind === 'remove') return this.remove(member, by, change.accountId)
    if (change.kind === 'set-role') return this.setRole(member, by, change)
    if (change.kind === 'edit') return this.edit(by, change)
    if (change.kind === 'link') return this.setLink(member, change)
    return this.decide(member, by, change)
  }

  wouldAdd(by: Id, accountId: Id): boolean | GroupRefusal {
    const member = this.memberships.joined(by)
    if (!member) return 'absent'
    if (!this.may('add', member)) return 'forbidden'
    if (!isNew(this.core.rows.group.member(accountId))) return false
    return this.isFull(1) ? 'full' : true
  }

  private add(member: GroupMember, by: Id, { invitees }: ChangeOf<'add'>): GroupRefusal | null {
    const { group } = this.core.rows
    if (!this.may('add', member)) return 'forbidden'
    const added = invitees.filter(({ accountId }) => isNew(group.member(accountId)))
    if (this.isFull(added.length)) return 'full'
    for (const invitee of added) this.memberships.add(by, invitee)
    return null
  }

  private remove(member: GroupMember, by: Id, accountId: Id): GroupRefusal | null {
    if (by === accountId) return this.memberships.leave(by)
    const target = this.core.rows.group.member(accountId)
    if (!this.may('remove', member, target?.role ?? 'member')) return 'forbidden'
    if (!target || target.state === 'asking') return 'absent'
    if (target.state === 'active' || target.state === 'request') this.memberships.remove(by, target)
    return null
  }

  private setRole(member: GroupMember, by: Id, { accountId, role }: ChangeOf<'set-role'>): GroupRefusal | null {
    const target = this.memberships.joined(accountId)
    if (!this.may('set-role', member, target?.role ?? null)) return 'forbidden'
    if (!target) return 'absent'
    this.memberships.setRole(by, target, role)
    return null
  }

  /** Seals first, and then decides and changes everything in one turn. */
  private async edit(by: Id, { name, ...change }: ChangeOf<'edit'>): Promise<GroupRefusal | null> {
    const isRenamed = name !== undefined && name !== (await nameOf(this.core))
    const sealed = isRenamed ? await this.sealed(by, name) : null
    const { group } = this.core.rows
    const [member, before] = [this.memberships.joined(by), group.one()]
    if (!member || !before) return 'absent'
    if (!this.may('edit', member)) return 'forbidden'
    const { locked = before.locked === 1, historyVisible = before.visibleFrom !== null } = change
    const visibleFrom = historyVisible ? (before.visibleFrom ?? this.core.rows.head()?.lastSeq ?? 0) : null
    group.set({ locked, visibleFrom, adding: change.adding ?? before.adding })
    if (sealed !== null) group.rename(sealed, by)
    const events = [
      sealed !== null && 'renamed',
      Number(locked) !== before.locked && (locked ? 'locked' : 'unlocked'),
      historyVisible !== (before.visibleFrom !== null) && (historyVisible ? 'history_shown' : 'history_hidden'),
    ] as const
    for (const event of events) if (event) this.memberships.tell({ event, actorId: by })
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
    if (kind === 'approve' && asking?.state === 'active') return null
    if (asking?.state !== 'asking') return kind === 'refuse' ? null : 'absent'
    if (kind === 'refuse') this.memberships.refuse(asking)
    else if (this.isFull(1)) return 'full'
    else this.memberships.join(accountId, by)
    return null
  }

  /** Null for who is no member any more. */
  private sealed(by: Id, name: string): Promise<string | null> {
    return this.core.keys.seal(nameSealedBy(by), { text: name, entities: [] })
  }

  /** Unless somebody has changed it meanwhile, from which this is to follow. */
  private async rename(by: Id, name: string, namedBy: Id | null): Promise<void> {
    const sealed = await this.sealed(by, name)
    const current = this.core.rows.group.one()
    if (sealed === null || !current || idOrNull(current.namedBy) !== namedBy) return
    this.core.rows.group.rename(sealed, by)
    this.core.announceToMembers()
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
      ...{ role: member.role, since: member.since },
      memberCount: this.core.rows.group.count('active'),
      locked: group.locked === 1,
      historyVisible: group.visibleFrom !== null,
      adding: group.adding,
      link: showsLink ? { audience, approval: linkApproval === 1, expiresAt } : null,
    }
  }
}

/** Whether adding it changes something. Who has declined is left alone. */
const isNew = (member: GroupMember | null) =>
  member === null || member.state === 'left' || member.state === 'removed' || member.state === 'asking'
