import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { ObjectOutbox } from '../../platform/objects/object-outbox.ts'
import { withTimeout } from '../../platform/timeout.ts'
import { ConversationKeys } from './conversation-keys.ts'
import { ConversationRows } from './conversation-rows.ts'
import type { StoredMessage } from './facts.ts'
import { idOrNull, type Row } from './message-rows.ts'
import { type MessageKind, states } from './tables.ts'

const PASS_TIMEOUT_MS = 2_000

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
    this.outbox = new ObjectOutbox(object.storage, (keys) =>
      deliver(
        this,
        keys.map((key) => toId(Number(key))),
      ),
    )
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

  /** In the turn of the change: the inboxes of these members are out of date. */
  announceTo(...accountIds: readonly Id[]): void {
    this.rows.nextVersion()
    this.outbox.add(...accountIds)
  }

  /** A failure loses nothing: the alarm repeats it. */
  async tryOutbox(): Promise<void> {
    const pass = withTimeout(this.outbox.run(), PASS_TIMEOUT_MS)
    await pass.catch((error: unknown) => this.context().log.warn('inboxes wait', { error }))
  }

  tryOutboxLater(): void {
    this.object.waitUntil(this.tryOutbox())
  }

  forgetKeys(): void {
    this.keys = new ConversationKeys(this.rows.members, this.context())
  }

  async opened({ authorId, body, clientId, edits, isDeleted, ...row }: Row): Promise<StoredMessage> {
    const author = idOrNull(authorId)
    const system = authorId === null ? this.rows.group.event(row.seq) : null
    const isReadable = author !== null && body !== null && clientId !== null
    return {
      seq: row.seq,
      inGroup: this.rows.group.exists(),
      kind: kindOf(isDeleted === 1, system !== null),
      system: system && {
        event: system.event,
        actorId: idOrNull(system.actorId),
        subjectId: idOrNull(system.subjectId),
      },
      authorId: author,
      clientId,
      at: row.at,
      editedAt: row.editedAt,
      revision: row.revision,
      body: isReadable ? await this.keys.open({ authorId: author, clientId, edits }, body) : null,
    }
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
