import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { ObjectOutbox } from '../../platform/objects/object-outbox.ts'
import { withTimeout } from '../../platform/timeout.ts'
import { settleImages } from '../media/statements.ts'
import { ConversationKeys } from './conversation-keys.ts'
import { ConversationRows } from './conversation-rows.ts'
import type { Body, StoredMessage } from './facts.ts'
import { idOrNull, type Row } from './message-rows.ts'
import { type MessageKind, type State, states } from './tables.ts'

const PASS_TIMEOUT_MS = 2_000
const PREVIEW_LENGTH = 100
/** Begins the keys of images in the outbox. The others are ids of members. */
const EVERYONE = 'everyone'
const IMAGE = 'image:'

export class ConversationCore {
  readonly rows: ConversationRows
  readonly outbox: ObjectOutbox
  keys: ConversationKeys

  constructor(
    private readonly object: DurableObjectState,
    private readonly env: Env,
    deliver: (core: ConversationCore, accountIds: readonly Id[]) => Promise<void>,
  ) {
    this.rows = new ConversationRows(object.storage)
    this.keys = new ConversationKeys(this.rows.members, this.context())
    this.outbox = new ObjectOutbox(object.storage, async (keys) => {
      const images = keys.flatMap((key) => (key.startsWith(IMAGE) ? [toId(Number(key.slice(IMAGE.length)))] : []))
      const others = keys.filter((key) => !key.startsWith(IMAGE))
      const members = others.flatMap((key) => (key === EVERYONE ? this.memberIds() : [toId(Number(key))]))
      await Promise.all([this.settleImages(images), deliver(this, [...new Set(members)])])
    })
  }

  /** Before the first message, the conversation exists only for those who opened it. */
  isMember(accountId: Id): boolean {
    const [head, member] = [this.rows.head(), this.rows.members.one(accountId)]
    if (this.rows.group.exists()) return this.isAmong(accountId)
    return head !== null && member !== null && (head.lastSeq > 0 || member.hasEntered === 1)
  }

  /** Who has joined a group, or is one of the two. */
  isAmong(accountId: Id): boolean {
    const { group, members } = this.rows
    return group.exists() ? group.member(accountId)?.state === 'active' : members.one(accountId) !== null
  }

  /** Also before it has accepted or declined to be one. */
  isKnown(accountId: Id): boolean {
    const state = this.rows.members.one(accountId)?.state
    return this.rows.group.exists() ? states.some((known) => known === state && known !== 'left') : state !== undefined
  }

  isEnded(): boolean {
    if (this.rows.group.exists()) return false
    return this.rows.isBlocked() || this.rows.members.all().length < 2
  }

  memberIds(): Id[] {
    const { group, members } = this.rows
    return (group.exists() ? group.joined() : members.all()).map(({ accountId }) => toId(accountId))
  }

  idsIn(state: State): Id[] {
    return this.rows.members.all().flatMap((member) => (member.state === state ? [toId(member.accountId)] : []))
  }

  /** Who has declined the conversation hears nothing of what others do in it. */
  reachedIds(): Id[] {
    return this.rows.group.exists() ? this.memberIds() : [...this.idsIn('active'), ...this.idsIn('request')]
  }

  /** In the turn of the change: the inboxes of these members are out of date. */
  announceTo(...accountIds: readonly Id[]): void {
    this.rows.nextVersion()
    this.outbox.add(...accountIds)
  }

  /** Like `announceTo` for all members. A group has one row for them, because it has many. */
  announceToMembers(): void {
    if (this.rows.group.exists()) {
      this.rows.nextVersion()
      this.outbox.add(EVERYONE)
    } else this.announceTo(...this.memberIds())
  }

  /** In the turn of the change: messages have got or lost these images. */
  announceImages(mediaIds: readonly Id[]): void {
    this.outbox.add(...mediaIds.map((id) => `${IMAGE}${id}`))
  }

  /** A failure loses nothing: the alarm repeats it. */
  async tryOutbox(): Promise<void> {
    const pass = withTimeout(this.outbox.run(), PASS_TIMEOUT_MS)
    await pass.catch((error: unknown) => this.context().log.warn('inboxes wait', { error }))
  }

  tryOutboxLater(): void {
    this.object.waitUntil(this.tryOutbox())
  }

  later(failure: string, work: (ctx: SystemCtx) => Promise<void>): void {
    const ctx = this.context()
    this.object.waitUntil(
      withTimeout(work(ctx), PASS_TIMEOUT_MS).catch((error: unknown) => ctx.log.warn(failure, { error })),
    )
  }

  forgetKeys(): void {
    this.keys = new ConversationKeys(this.rows.members, this.context())
  }

  /** Null for a deleted message, and after the erasure of its author. */
  async bodyOf({ authorId, body, clientId, edits }: Row): Promise<Body | null> {
    const author = idOrNull(authorId)
    if (author === null || clientId === null || body === null) return null
    return this.keys.open({ authorId: author, clientId, edits }, body)
  }

  async previewOf(row: Row | null): Promise<string | null> {
    const body = row && (await this.bodyOf(row))
    return body && Array.from(body.text).slice(0, PREVIEW_LENGTH).join('')
  }

  /** As the viewer sees it. */
  async shown(viewerId: Id, row: Row, known?: Body): Promise<StoredMessage> {
    const { seq, authorId, clientId, at, editedAt, revision } = row
    const [reactions, quoted] = [this.rows.reactions.of(seq), this.quoted(viewerId, row)]
    const system = authorId === null ? this.rows.group.event(seq) : null
    return {
      ...{ seq, clientId, at, editedAt, revision, reactions },
      inGroup: this.rows.group.exists(),
      kind: kindOf(row.isDeleted === 1, system !== null),
      system: system && {
        event: system.event,
        actorId: idOrNull(system.actorId),
        subjectId: idOrNull(system.subjectId),
      },
      authorId: idOrNull(authorId),
      isPinned: row.isPinned === 1,
      body: known ?? (await this.bodyOf(row)),
      // A stored message must not look like a failure because the other one cannot be read.
      replyTo: quoted && { ...quoted.place, text: await this.previewOf(quoted.row).catch(() => null) },
    }
  }

  private quoted(viewerId: Id, { replyTo }: Row) {
    if (replyTo === null) return null
    const row = this.rows.messages.one(viewerId, replyTo)
    const isGone = row === null || row.isDeleted === 1
    return { row, place: { seq: replyTo, authorId: isGone ? null : idOrNull(row.authorId) } }
  }

  private async settleImages(mediaIds: readonly Id[]): Promise<void> {
    if (mediaIds.length === 0) return
    const isKept = (id: Id) => this.rows.images.messageOf(id) !== null
    const [kept, gone] = [mediaIds.filter(isKept), mediaIds.filter((id) => !isKept(id))]
    await settleImages(this.context(), this.rows.head()?.id ?? null, { kept, gone })
  }

  context(): SystemCtx {
    const waitUntil = (work: Promise<unknown>) => this.object.waitUntil(work)
    return createContext({ env: this.env, waitUntil, start: 'first-primary' })
  }
}

export function kindOf(isDeleted: boolean, isSystem: boolean): MessageKind {
  if (isSystem) return 'system'
  return isDeleted ? 'deleted' : 'text'
}
