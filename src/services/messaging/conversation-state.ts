import { createContext } from '../../platform/create-context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { isStored } from '../accounts/queries.ts'
import { ConversationCore } from './conversation-core.ts'
import { deliver, factsFor, readNews } from './conversation-delivery.ts'
import type { Block, Facts, News, Opening } from './facts.ts'
import { GroupState } from './group-state.ts'
import { MarksState } from './marks-state.ts'
import { MessageReads } from './message-reads.ts'
import { MessagesState } from './messages-state.ts'

export async function isAccount(env: Env, accountId: Id): Promise<boolean> {
  return isStored(createContext({ env, waitUntil: () => {}, start: 'first-primary' }), accountId)
}

/** What the object does. After each `await`, it looks at the rows again: another call may have changed them. */
export class ConversationState {
  readonly messages: MessagesState
  readonly reads: MessageReads
  readonly marks: MarksState
  readonly group: GroupState
  private readonly core: ConversationCore

  constructor(object: DurableObjectState, env: Env) {
    this.core = new ConversationCore(object, env, deliver)
    this.messages = new MessagesState(this.core)
    this.reads = new MessageReads(this.core)
    this.marks = new MarksState(this.core)
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

  news(accountId: Id): Promise<News> {
    return readNews(this.core, accountId)
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
    this.core.announceToMembers()
    this.core.tryOutboxLater()
  }

  /** Throws while the inboxes of the others still show what is erased. */
  async erase(accountId: Id): Promise<void> {
    await this.group.keepName(accountId)
    if (this.core.rows.members.one(accountId)) {
      if (this.group.memberships.joined(accountId)) this.group.memberships.leave(accountId)
      this.core.rows.erase(accountId)
      this.core.forgetKeys()
      this.core.announceToMembers()
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
