import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { ObjectOutbox } from '../../platform/objects/object-outbox.ts'
import { withTimeout } from '../../platform/timeout.ts'
import { ConversationKeys } from './conversation-keys.ts'
import { ConversationRows, idOrNull, type Row } from './conversation-rows.ts'
import type { Block, Body, Facts, Opening, PageOf, Refused, Sending, StoredMessage } from './facts.ts'
import { deliverInboxes, type InboxCopy, toldBy } from './inboxes.ts'

const PREVIEW_LENGTH = 100
const MAX_UNANSWERED = 10
const PASS_TIMEOUT_MS = 2_000
const DELIVERY_TIMEOUT_MS = 15_000

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
    const { accountId, otherId } = opening
    const isNew = this.rows.head() === null
    if (isNew) this.rows.create(opening)
    else this.rows.enter(accountId)
    if (isNew) this.announceTo(accountId, otherId)
    else if (this.rows.moveTo('active', accountId)) this.announceTo(accountId)
    await this.tryOutbox()
    const facts = await this.factsFor(accountId)
    if (!facts) throw new Error('a conversation was opened for an account that is no member')
    return facts
  }

  /** Before the first message, the conversation exists only for those who opened it. */
  isMember(accountId: Id): boolean {
    const [head, member] = [this.rows.head(), this.rows.member(accountId)]
    return head !== null && member !== null && (head.lastSeq > 0 || member.hasEntered === 1)
  }

  async factsFor(accountId: Id): Promise<Facts | null> {
    const facts = this.isMember(accountId) ? this.factsWithoutPreview(accountId) : null
    const last = this.rows.last()
    return facts && { ...facts, preview: await this.previewOf(last) }
  }

  async send({ accountId, clientId, body }: Sending): Promise<StoredMessage | Refused | null> {
    if (!this.rows.member(accountId)) return null
    const sealed = await this.keys.seal(accountId, clientId, body)
    if (sealed === null || !this.rows.member(accountId)) return null
    const first = this.rows.sentAs(accountId, clientId)
    if (first) return this.repeated(first, body)
    if (this.isEnded()) return 'ended'
    if (this.isFullFor(accountId)) return 'full'
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
    if (!this.rows.member(accountId)) return false
    if (this.rows.read(accountId, seq)) this.announceTo(accountId)
    await this.tryOutbox()
    return true
  }

  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    if (!this.rows.member(accountId)) return false
    if (this.rows.moveTo(state, accountId)) this.announceTo(accountId)
    await this.tryOutbox()
    return true
  }

  /** Stored before the conversation exists, too, so that it does not matter which of the two comes first. */
  block(block: Block): void {
    const isOfMember = this.rows.member(block.accountId) !== null
    const isOpened = this.rows.head() !== null
    if (block.isBlocking && isOpened && !isOfMember) return
    if (!this.rows.setBlock(block) || !isOpened) return
    this.announceTo(...this.memberIds())
    this.object.waitUntil(this.tryOutbox())
  }

  /** Throws while the inboxes of the others still show what is erased. */
  async erase(accountId: Id): Promise<void> {
    if (this.rows.member(accountId)) {
      this.rows.erase(accountId)
      this.keys = new ConversationKeys(this.rows, this.context())
      this.announceTo(...this.memberIds())
    }
    await this.outbox.run()
  }

  /** Whether nothing in it concerns anybody. */
  isUnused(): boolean {
    return this.rows.members().length === 0 && !this.rows.isBlocked()
  }

  alarm(): Promise<void> {
    return this.outbox.alarm((error) => this.context().log.warn('inboxes were not updated', { error }))
  }

  private announceTo(...accountIds: readonly Id[]): void {
    this.rows.nextVersion(Date.now())
    this.outbox.add(...accountIds)
  }

  private async deliver(accountIds: readonly number[]): Promise<void> {
    // From one moment, so that no older text comes under a newer version.
    const [version, last] = [this.rows.head()?.version ?? 0, this.rows.last()]
    const all = accountIds.flatMap((accountId) => {
      const facts = this.factsWithoutPreview(toId(accountId))
      const told = this.rows.member(toId(accountId))?.told ?? ''
      return facts ? [{ ...facts, accountId: toId(accountId), version, told }] : []
    })
    const preview = await this.previewOf(last)
    const copies = all.map((facts): InboxCopy => ({ ...facts, preview }))
    await withTimeout(deliverInboxes(this.keys.ctx, copies), DELIVERY_TIMEOUT_MS)
    for (const copy of copies) this.rows.keepTold(copy.accountId, toldBy(copy))
  }

  private factsWithoutPreview(accountId: Id): Omit<Facts, 'preview'> | null {
    const [head, member, last] = [this.rows.head(), this.rows.member(accountId), this.rows.last()]
    if (!head || !member) return null
    const other = this.rows.members().find((each) => each.accountId !== member.accountId)
    return {
      conversationId: head.id,
      otherId: idOrNull(other?.accountId ?? null),
      state: member.state,
      ended: this.isEnded(),
      lastSeq: head.lastSeq,
      lastAt: last?.at ?? 0,
      lastAuthorId: idOrNull(last?.authorId ?? null),
      readSeq: member.readSeq,
    }
  }

  private isEnded(): boolean {
    return this.rows.isBlocked() || this.rows.members().length < 2
  }

  /** Whether the other member has a request with as many messages as it may get before it answers. */
  private isFullFor(accountId: Id): boolean {
    const other = this.rows.members().find((member) => member.accountId !== Number(accountId))
    return other?.state === 'request' && (this.rows.head()?.lastSeq ?? 0) >= MAX_UNANSWERED
  }

  private async repeated(first: Row, { text }: Body): Promise<StoredMessage | 'mismatch'> {
    const message = await this.opened(first)
    return message.body && message.body.text !== text ? 'mismatch' : message
  }

  private async previewOf(last: Row | null): Promise<string | null> {
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
    const pass = withTimeout(this.outbox.run(), PASS_TIMEOUT_MS)
    await pass.catch((error: unknown) => this.context().log.warn('inboxes wait', { error }))
  }

  private memberIds(): Id[] {
    return this.rows.members().map(({ accountId }) => toId(accountId))
  }

  private context(): SystemCtx {
    const waitUntil = (work: Promise<unknown>) => this.object.waitUntil(work)
    return createContext({ env: this.env, waitUntil, start: 'first-primary' })
  }
}
