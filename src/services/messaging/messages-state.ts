import { type Id, toId } from '../../platform/data/ids.ts'
import { idsOf } from '../../platform/data/page.ts'
import type { ConversationCore } from './conversation-core.ts'
import type { Acting, Body, NotDone, Refused, Sending, StoredMessage, Undoing } from './facts.ts'
import { mayWrite } from './group-inbox.ts'
import type { Row } from './message-rows.ts'
import { MAX_PINS, mayPin } from './pins.ts'

const MAX_UNANSWERED = 10
const MAX_EDITS = 20
const EDITABLE_MS = 24 * 3_600_000

const imagesIn = ({ media = [] }: Body) => idsOf(media).join()

export class MessagesState {
  constructor(private readonly core: ConversationCore) {}

  async send({ accountId, clientId, body, replyTo = null }: Sending): Promise<StoredMessage | Refused | null> {
    const { core } = this
    const { members, messages } = core.rows
    if (!core.isAmong(accountId)) return null
    const sealed = await core.keys.seal({ authorId: accountId, clientId, edits: 0 }, body)
    if (sealed === null || !core.isAmong(accountId)) return null
    const first = messages.sentAs(accountId, clientId)
    if (first) return this.repeated(first, body, replyTo)
    if (core.isEnded()) return 'ended'
    if (this.isFullFor(accountId)) return 'full'
    if (!mayWrite(core, accountId)) return 'locked'
    if (replyTo !== null && !this.canAnswer(accountId, replyTo)) return 'unanswerable'
    const mediaIds = idsOf(body.media ?? [])
    if (mediaIds.some((id) => core.rows.images.messageOf(id) !== null)) return 'used'
    const row = { authorId: accountId, clientId, at: Date.now(), body: sealed, replyTo }
    const seq = messages.append({ ...row, revision: core.rows.nextVersion() })
    core.rows.images.add(seq, mediaIds)
    core.announceImages(mediaIds)
    members.moveTo('active', accountId)
    members.read(accountId, seq)
    return this.tell(accountId, seq, body)
  }

  async act({ accountId, seq, act }: Acting): Promise<StoredMessage | 'done' | NotDone | null> {
    const { messages } = this.core.rows
    const own = act.kind === 'delete' ? messages.authored(accountId, seq) : null
    if (own) return this.delete(own)
    if (!this.core.isMember(accountId)) return null
    if (act.kind === 'hide') return this.hide(accountId, seq)
    if (act.kind === 'unreact' || act.kind === 'unpin') return this.undo(accountId, seq, act)
    const row = messages.one(accountId, seq)
    if (!row) return null
    if (act.kind === 'react') return this.react(accountId, row, act.emoji)
    if (act.kind === 'pin') return this.pin(accountId, row)
    if (row.authorId !== Number(accountId)) return 'foreign'
    return act.kind === 'edit' ? this.edit(accountId, row, act.body) : null
  }

  private async edit(
    authorId: Id,
    row: Row,
    { text, entities }: Body,
  ): Promise<StoredMessage | 'done' | NotDone | null> {
    const { core } = this
    const { seq, clientId, edits } = row
    const before = await core.bodyOf(row)
    if (before === null || clientId === null) return null
    if (before.text === text) return this.one(authorId, seq)
    const body = { ...before, text, entities }
    if (text === '' && !body.media?.length) return 'empty'
    const sealed = await core.keys.seal({ authorId, clientId, edits: edits + 1 }, body)
    const current = core.rows.messages.one(authorId, seq)
    if (sealed === null || current?.edits !== edits || current.body !== row.body) {
      return this.act({ accountId: authorId, seq, act: { kind: 'edit', body } })
    }
    const now = Date.now()
    if (core.isEnded() || !mayWrite(core, authorId)) return 'ended'
    if (now - row.at > EDITABLE_MS) return 'late'
    if (edits >= MAX_EDITS) return 'often'
    core.rows.messages.edit(row, { at: now, body: sealed, revision: core.rows.nextVersion() })
    core.rows.touchAnswers(seq)
    return this.tell(authorId, seq, body)
  }

  /** Is an answer, which accepts a request. */
  private async react(accountId: Id, { seq, body }: Row, emoji: string): Promise<StoredMessage | NotDone | null> {
    const { core } = this
    if (body === null) return null
    if (core.isEnded()) return 'ended'
    if (this.isWaiting(accountId)) return 'waiting'
    const hasChanged = core.rows.reactions.add(seq, accountId, emoji)
    if (hasChanged === 'full') return 'kinds'
    if (!hasChanged) return this.one(accountId, seq)
    core.rows.members.moveTo('active', accountId)
    core.rows.messages.touch(seq, core.rows.nextVersion())
    return this.tell(accountId, seq)
  }

  private async pin(accountId: Id, { seq, body, isPinned }: Row): Promise<StoredMessage | NotDone | null> {
    const { core } = this
    if (body === null) return null
    if (!mayPin(core, accountId)) return 'foreign'
    if (core.isEnded()) return 'ended'
    if (isPinned) return this.one(accountId, seq)
    if (this.isWaiting(accountId)) return 'waiting'
    if (core.rows.messages.pinCount() >= MAX_PINS) return 'pins'
    core.rows.messages.pin(seq, true)
    core.rows.messages.touch(seq, core.rows.nextVersion())
    return this.tell(accountId, seq)
  }

  /** Also of a message that the account has deleted for itself. */
  private async undo(accountId: Id, seq: number, act: Undoing): Promise<'done' | NotDone | null> {
    const { messages, reactions } = this.core.rows
    if (messages.any(seq) === null) return null
    if (act.kind === 'unpin' && !mayPin(this.core, accountId)) return 'foreign'
    const hasChanged = act.kind === 'unpin' ? messages.pin(seq, false) : reactions.remove(seq, accountId, act.emoji)
    if (hasChanged) {
      messages.touch(seq, this.core.rows.nextVersion())
      await this.tell(accountId, seq)
    }
    return 'done'
  }

  private tell(accountId: Id, seq: number, body?: Body): Promise<StoredMessage | null> {
    if (this.core.rows.group.exists()) this.core.announceToMembers()
    else this.core.announceTo(...(this.core.isEnded() ? [accountId] : this.core.reachedIds()))
    this.core.tryOutboxLater()
    return this.one(accountId, seq, body)
  }

  private async one(viewerId: Id, seq: number, body?: Body): Promise<StoredMessage | null> {
    const row = this.core.rows.messages.one(viewerId, seq)
    return row && this.core.shown(viewerId, row, body)
  }

  private canAnswer(accountId: Id, seq: number): boolean {
    const row = this.core.rows.messages.one(accountId, seq)
    return row !== null && row.body !== null
  }

  private async delete({ seq, isDeleted }: Row): Promise<'done'> {
    if (!isDeleted) {
      this.core.rows.messages.delete(seq, this.core.rows.nextVersion())
      this.core.rows.reactions.clear(seq)
      this.core.announceImages(this.core.rows.images.release(seq))
      this.core.rows.touchAnswers(seq)
      this.core.announceToMembers()
    }
    await this.core.tryOutbox()
    return 'done'
  }

  private async hide(accountId: Id, seq: number): Promise<'done' | null> {
    const { rows } = this.core
    if (seq > (rows.head()?.lastSeq ?? 0)) return null
    if (rows.messages.one(accountId, seq) && rows.messages.hide(accountId, seq, rows.nextVersion())) {
      const isSeen = this.core.memberIds().some((id) => rows.messages.one(id, seq) !== null)
      if (!isSeen) rows.messages.pin(seq, false)
      this.core.announceTo(accountId)
    }
    await this.core.tryOutbox()
    return 'done'
  }

  /** Whether the other one of a pair has not accepted its request. */
  private isWaiting(accountId: Id): boolean {
    const { group, members } = this.core.rows
    if (group.exists()) return false
    return members.all().some((member) => member.accountId !== Number(accountId) && member.state === 'request')
  }

  private isFullFor(accountId: Id): boolean {
    return this.isWaiting(accountId) && (this.core.rows.head()?.lastSeq ?? 0) >= MAX_UNANSWERED
  }

  /** Whether the member has already sent a message with this client id; null for others. */
  hasSent(accountId: Id, clientId: string): boolean | null {
    if (!this.core.isAmong(accountId)) return null
    return this.core.rows.messages.sentAs(accountId, clientId) !== null
  }

  /** The first message as it is now. An edit does not make its repetition a mismatch. */
  private async repeated(first: Row, body: Body, replyTo: number | null): Promise<StoredMessage | 'mismatch' | null> {
    const [original] = this.core.rows.messages.versions(first.seq)
    const sent = await this.core.bodyOf(original ? { ...first, edits: 0, body: original.body } : first)
    const isSame = sent?.text === body.text && first.replyTo === replyTo && imagesIn(sent) === imagesIn(body)
    if (sent && !isSame) return 'mismatch'
    return this.core.shown(toId(first.authorId ?? 0), first)
  }
}
