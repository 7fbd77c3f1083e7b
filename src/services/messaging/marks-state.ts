import type { Id } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import type { Mark } from './facts.ts'
import { tellOfMark, tellOfTyping } from './member-frames.ts'

const TYPING_EVERY_MS = 3_000

export class MarksState {
  private readonly typedAt = new Map<Id, number>()

  constructor(private readonly core: ConversationCore) {}

  async markRead(accountId: Id, seq: number): Promise<boolean> {
    const { members } = this.core.rows
    if (!this.core.isKnown(accountId)) return false
    if (members.read(accountId, seq)) {
      this.core.announceTo(accountId)
      this.tellOfMark(accountId)
    }
    await this.core.tryOutbox()
    return true
  }

  markDelivered(accountId: Id, seq: number): boolean {
    const { members } = this.core.rows
    if (!this.core.isMember(accountId)) return false
    if (members.receive(accountId, seq)) this.tellOfMark(accountId)
    return true
  }

  /** Stores nothing. The answer does not reveal whether somebody gets the frame. */
  typing(accountId: Id): boolean {
    if (!this.core.isMember(accountId)) return false
    const now = Date.now()
    const others = this.listenersTo(accountId)
    if (others.length === 0 || now - (this.typedAt.get(accountId) ?? 0) < TYPING_EVERY_MS) return true
    this.typedAt.set(accountId, now)
    this.core.later('typing was not told', (ctx) => tellOfTyping(ctx, { ...this.place(), accountId, others }))
    return true
  }

  /** Of the other members that share theirs by their state. Their settings are not known here. */
  marks(accountId: Id): Mark[] | null {
    if (!this.core.isMember(accountId)) return null
    return this.listenersTo(accountId).flatMap((id) => this.markOf(id) ?? [])
  }

  async mute(accountId: Id, until: number): Promise<boolean> {
    if (!this.core.isMember(accountId)) return false
    if (this.core.rows.members.mute(accountId, until)) this.core.announceTo(accountId)
    await this.core.tryOutbox()
    return true
  }

  private tellOfMark(accountId: Id): void {
    const [others, mark] = [this.listenersTo(accountId), this.markOf(accountId)]
    if (others.length === 0 || !mark) return
    this.core.later('a mark was not told', (ctx) => tellOfMark(ctx, { ...this.place(), accountId, others }, mark))
  }

  /** Nobody across a block, and nobody who has not accepted the conversation. */
  private listenersTo(accountId: Id): Id[] {
    const active = this.core.idsIn('active')
    return this.core.isEnded() || !active.includes(accountId) ? [] : active.filter((id) => id !== accountId)
  }

  private markOf(accountId: Id): Mark | null {
    const member = this.core.rows.members.one(accountId)
    return member && { accountId, deliveredSeq: Math.max(member.deliveredSeq, member.readSeq), readSeq: member.readSeq }
  }

  private place(): { conversationId: string } {
    return { conversationId: this.core.rows.head()?.id ?? '' }
  }
}
