import { type Id, toId } from '../../platform/data/ids.ts'
import { idsOf } from '../../platform/data/page.ts'
import type { ConversationCore } from './conversation-core.ts'
import type { Act, Acting, Body, NotDone, Refused, Sending, StoredMessage } from './facts.ts'
import type { Row } from './message-rows.ts'
import { mayPin } from './pins.ts'

const MAX_UNANSWERED = 10
const MAX_EDITS = 20
const MAX_PINS = 3
const EDITABLE_MS = 24 * 3_600_000

type Reacting = Extract<Act, { emoji: string }>

const imagesIn = ({ media = [] }: Body) => idsOf(media).join()

export class MessagesState {
  constructor(private readonly core: ConversationCore) {}

  async send({ accountId, clientId, body, replyTo = null }: Sending): Promise<StoredMessage | Refused | null> {
    const { core } = this
    const { members, messages } = core.rows
    if (!members.one(accountId)) return null
    const sealed = await core.keys.seal({ authorId: accountId, clientId, edits: 0 }, body)
    if (sealed === null || !members.one(accountId)) return null
    const first = messages.sentAs(accountId, clientId)
    if (first) return this.repeated(first, body, replyTo)
    if (core.isEnded()) return 'ended'
    if (this.isFullFor(accountId)) return 'full'
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
    if (!this.core.isMember(accountId)) return null
    if (act.kind === 'hide') return this.hide(accountId, seq)
    const row = this.core.rows.messages.one(accountId, seq)
    if (!row) return null
    if (act.kind === 'react' || act.kind === 'unreact') return this.react(accountId, row, act)
    if (act.kind === 'pin' || act.kind === 'unpin') return this.pin(accountId, row, act.kind === 'pin')
    if (row.authorId !== Number(accountId)) return 'foreign'
    return act.kind === 'edit' ? this.edit(accountId, row, act.body) : this.delete(row)
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
    if (sealed === null || current?.revision !== row.revision) {
      return this.act({ accountId: authorId, seq, act: { kind: 'edit', body } })
    }
    const now = Date.now()
    if (core.isEnded()) return 'ended'
    if (now - row.at > EDITABLE_MS) return 'late'
    if (edits >= MAX_EDITS) return 'often'
    core.rows.messages.edit(row, { at: now, body: sealed, revision: core.rows.nextVersion() })
    return this.tell(authorId, seq, body)
  }

  /** Adding one is an answer, which accepts a request. */
  private async react(
    accountId: Id,
    { seq, body }: Row,
    { kind, emoji }: Reacting,
  ): Promise<StoredMessage | NotDone | null> {
    const { members, messages, reactions } = this.core.rows
    if (body === null) return null
    if (kind === 'react' && this.core.isEnded()) return 'ended'
    const hasChanged = kind === 'react' ? reactions.add(seq, accountId, emoji) : reactions.remove(seq, accountId, emoji)
    if (hasChanged === 'full') return 'kinds'
    if (!hasChanged) return this.one(accountId, seq)
    if (kind === 'react') members.moveTo('active', accountId)
    messages.touch(seq, this.core.rows.nextVersion())
    return this.tell(accountId, seq)
  }

  private async pin(accountId: Id, { seq, body }: Row, isPinned: boolean): Promise<StoredMessage | NotDone | null> {
    const { messages } = this.core.rows
    if (body === null) return null
    if (!mayPin(this.core, accountId)) return 'foreign'
    if (isPinned && this.core.isEnded()) return 'ended'
    if (isPinned && !messages.one(accountId, seq)?.isPinned && messages.pinCount() >= MAX_PINS) return 'pins'
    if (!messages.pin(seq, isPinned)) return this.one(accountId, seq)
    messages.touch(seq, this.core.rows.nextVersion())
    return this.tell(accountId, seq)
  }

  private tell(accountId: Id, seq: number, body?: Body): Promise<StoredMessage | null> {
    this.core.announceTo(...this.core.reachedIds())
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
      this.core.announceTo(...this.core.memberIds())
    }
    await this.core.tryOutbox()
    return 'done'
  }

  private async hide(accountId: Id, seq: number): Promise<'done' | null> {
    const { rows } = this.core
    if (seq > (rows.head()?.lastSeq ?? 0)) return null
    if (rows.messages.hide(accountId, seq, rows.nextVersion())) this.core.announceTo(accountId)
    await this.core.tryOutbox()
    return 'done'
  }

  /** Whether another member has a request with as many messages as it may get before it answers. */
  private isFullFor(accountId: Id): boolean {
    const isWaiting = this.core.rows.members
      .all()
      .some((member) => member.accountId !== Number(accountId) && member.state === 'request')
    return isWaiting && (this.core.rows.head()?.lastSeq ?? 0) >= MAX_UNANSWERED
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
