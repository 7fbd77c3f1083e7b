import type { Id } from '../../platform/data/ids.ts'
import { ConversationCore } from './conversation-core.ts'
import { deliver, factsFor } from './conversation-delivery.ts'
import type { Block, Facts, Opening } from './facts.ts'
import { GroupState } from './group-state.ts'
import { MessagesState } from './messages-state.ts'

/** What the object does. After each `await`, it looks at the rows again: another call may have changed them. */
export class ConversationState {
  readonly messages: MessagesState
  readonly group: GroupState
  private readonly core: ConversationCore

  constructor(object: DurableObjectState, env: Env) {
    this.core = new ConversationCore(object, env, deliver)
    this.messages = new MessagesState(this.core)
    this.group = new GroupState(this.core)
  }

  async open({ conversationId, accountId, otherId, otherState }: Opening): Promise<Facts> {
    const { rows } = this.core
    if (rows.head() === null) {
      rows.create(conversationId)
      rows.members.add(accountId, 'active', true)
      rows.members.add(otherId, otherState, false)
      this.core.announceTo(accountId, otherId)
    } else {
      rows.members.enter(accountId)
      if (rows.members.moveTo('active', accountId)) this.core.announceTo(accountId)
    }
    await this.core.tryOutbox()
    const facts = await this.factsFor(accountId)
    if (!facts) throw new Error('a conversation was opened for an account that is no member')
    return facts
  }

  isMember(accountId: Id): boolean {
    return this.core.isMember(accountId)
  }

  factsFor(accountId: Id): Promise<Facts | null> {
    return factsFor(this.core, accountId)
  }

  async markRead(accountId: Id, seq: number): Promise<boolean> {
    const { members } = this.core.rows
    if (!this.core.isKnown(accountId)) return false
    if (members.read(accountId, seq)) this.core.announceTo(accountId)
    await this.core.tryOutbox()
    return true
  }

  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    const { members } = this.core.rows
    if (this.core.rows.group.exists()) return this.group.answer(accountId, state)
    if (!members.one(accountId)) return false
    if (members.moveTo(state, accountId)) this.core.announceTo(accountId)
    await this.core.tryOutbox()
    return true
  }

  /** Stored before the conversation exists, too, so that it does not matter which of the two comes first. */
  block(block: Block): void {
    const { rows } = this.core
    const isOfMember = rows.members.one(block.accountId) !== null
    const isOpened = rows.head() !== null
    if (block.isBlocking && isOpened && !isOfMember) return
    if (!rows.setBlock(block) || !isOpened) return
    this.core.announceTo(...this.core.memberIds())
    this.core.tryOutboxLater()
  }

  /** Throws while the inboxes of the others still show what is erased. */
  async erase(accountId: Id): Promise<void> {
    await this.group.keepName(accountId)
    if (this.core.rows.members.one(accountId)) {
      if (this.group.memberships.joined(accountId)) this.group.memberships.leave(accountId)
      this.core.rows.erase(accountId)
      this.core.forgetKeys()
      this.core.announceTo(...this.core.memberIds())
    }
    await this.core.outbox.run()
  }

  /** Whether nothing in it concerns anybody. */
  isUnused(): boolean {
    const { members, group } = this.core.rows
    if (group.exists()) return group.count('active', 'request') === 0 && this.core.outbox.isEmpty()
    return members.all().length === 0 && !this.core.rows.isBlocked()
  }

  alarm(): Promise<void> {
    return this.core.outbox.alarm((error) => this.core.context().log.warn('inboxes were not updated', { error }))
  }
}
