import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { ObjectOutbox } from '../../platform/objects/object-outbox.ts'
import { ConversationKeys } from './conversation-keys.ts'
import { ConversationRows, idOrNull, type Row } from './conversation-rows.ts'
import type { Block, Facts, Opening, PageOf, Sending, StoredMessage } from './facts.ts'
import { deliverInboxes, type InboxCopy } from './inboxes.ts'

const PREVIEW_LENGTH = 100

/** What the object does. After each `await`, it looks at the rows again: another call may have changed them. */
export class ConversationState {
  private readonly rows: ConversationRows
  private keys: ConversationKeys
  private readonly outbox: ObjectOutbox

  constructor(
    private readonly object: DurableObjectState,
    private readonly env: Env,
  ) {
    this.rows = new ConversationRows(object.storage)
    this.keys = new ConversationKeys(this.rows, this.context())
    this.outbox = new ObjectOutbox(object.storage, (keys) => this.deliver(keys.map(Number)))
  }

  async open(opening: Opening): Promise<Facts> {
    const isNew = this.rows.head() === null
    if (isNew) this.rows.create(opening)
    if (isNew) this.announceTo(opening.accountId, opening.otherId)
    else if (this.rows.moveTo('active', opening.accountId)) this.announceTo(opening.accountId)
    await this.tryOutbox()
    const facts = await this.factsFor(opening.accountId)
    if (!facts) throw new Error('a conversation was opened for an account that is no member')
    return facts
  }

  isMember(accountId: Id): boolean {
    return this.rows.head() !== null && this.rows.member(accountId) !== null
  }

  async factsFor(accountId: Id): Promise<Facts | null> {
    const preview = this.isMember(accountId) ? await this.preview() : null
    return this.factsWith(preview, accountId)
  }

  async send({ accountId, clientId, body }: Sending): Promise<StoredMessage | 'ended' | null> {
    if (!this.isMember(accountId)) return null
    const sealed = await this.keys.seal(accountId, clientId, body)
    if (sealed === null || !this.isMember(accountId)) return null
    const first = this.rows.sentAs(accountId, clientId)
    if (first) return this.opened(first)
    if (this.rows.isEnded()) return 'ended'
    const { seq, at } = this.rows.append(accountId, clientId, Date.now(), sealed)
    this.rows.moveTo('active', accountId)
    this.rows.read(accountId, seq)
    this.announceTo(...this.memberIds())
    this.object.waitUntil(this.tryOutbox())
    return { seq, authorId: accountId, clientId, at, body }
  }

  async page(wanted: PageOf): Promise<StoredMessage[] | null> {
    if (!this.isMember(wanted.accountId)) return null
    return Promise.all(this.rows.page(wanted).map((row) => this.opened(row)))
  }

  async markRead(accountId: Id, seq: number): Promise<boolean> {
    if (!this.isMember(accountId)) return false
    if (this.rows.read(accountId, seq)) this.announceTo(accountId)
    await this.tryOutbox()
    return true
  }

  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    if (!this.isMember(accountId)) return false
    if (this.rows.moveTo(state, accountId)) this.announceTo(accountId)
    await this.tryOutbox()
    return true
  }

  /** Stored before the conversation exists, too, so that it does not matter which of the two comes first. */
  block(block: Block): void {
    if (!this.rows.setBlock(block) || this.rows.head() === null) return
    this.announceTo(...this.memberIds())
    this.object.waitUntil(this.tryOutbox())
  }

  /** Throws while the inboxes of the others still show what is erased. */
  async erase(accountId: Id): Promise<void> {
    if (this.isMember(accountId)) {
      this.rows.erase(accountId)
      this.keys = new ConversationKeys(this.rows, this.context())
      this.announceTo(...this.memberIds())
    }
    await this.outbox.run()
  }

  /** Whether nothing in it concerns anybody. */
  isUnused(): boolean {
    return this.rows.members().length === 0 && !this.rows.isEnded()
  }

  alarm(): Promise<void> {
    return this.outbox.alarm((error) => this.context().log.warn('inboxes were not updated', { error }))
  }

  private announceTo(...accountIds: readonly Id[]): void {
    this.rows.nextVersion()
    this.outbox.add(...accountIds)
  }

  private async deliver(accountIds: readonly number[]): Promise<void> {
    const preview = await this.preview()
    const version = this.rows.head()?.version ?? 0
    const copies = accountIds.flatMap((accountId): InboxCopy[] => {
      const facts = this.factsWith(preview, toId(accountId))
      return facts ? [{ ...facts, accountId: toId(accountId), version }] : []
    })
    await deliverInboxes(this.keys.ctx, copies)
  }

  private factsWith(preview: string | null, accountId: Id): Facts | null {
    const [head, member, last] = [this.rows.head(), this.rows.member(accountId), this.rows.last()]
    if (!head || !member) return null
    const other = this.rows.members().find((each) => each.accountId !== member.accountId)
    return {
      conversationId: head.id,
      otherId: idOrNull(other?.accountId ?? null),
      state: member.state,
      ended: this.rows.isEnded() || !other,
      lastSeq: head.lastSeq,
      lastAt: last?.at ?? 0,
      lastAuthorId: idOrNull(last?.authorId ?? null),
      readSeq: member.readSeq,
      preview,
    }
  }

  private async preview(): Promise<string | null> {
    const last = this.rows.last()
    const { body = null } = last ? await this.opened(last) : {}
    return body && Array.from(body.text).slice(0, PREVIEW_LENGTH).join('')
  }

  private async opened({ authorId, body, ...row }: Row): Promise<StoredMessage> {
    const author = idOrNull(authorId)
    const isReadable = author !== null && body !== null && row.clientId !== null
    return {
      ...row,
      authorId: author,
      body: isReadable ? await this.keys.open(author, row.clientId ?? '', body) : null,
    }
  }

  /** A failure loses nothing: the alarm repeats it. */
  private async tryOutbox(): Promise<void> {
    await this.outbox.run().catch((error: unknown) => this.context().log.warn('inboxes wait', { error }))
  }

  private memberIds(): Id[] {
    return this.rows.members().map(({ accountId }) => toId(accountId))
  }

  private context(): SystemCtx {
    const waitUntil = (work: Promise<unknown>) => this.object.waitUntil(work)
    return createContext({ env: this.env, waitUntil, start: 'first-primary' })
  }
}
