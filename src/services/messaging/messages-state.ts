import type { Id } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import type {
  Acting,
  Body,
  Changes,
  ChangesSince,
  History,
  NotDone,
  PageOf,
  Refused,
  Sending,
  StoredMessage,
  Version,
  WrittenAfter,
} from './facts.ts'
import { mayWrite } from './group-inbox.ts'
import type { Row } from './message-rows.ts'

const MAX_UNANSWERED = 10
const MAX_EDITS = 20
const EDITABLE_MS = 24 * 3_600_000

export class MessagesState {
  constructor(private readonly core: ConversationCore) {}

  async send({ accountId, clientId, body }: Sending): Promise<StoredMessage | Refused | null> {
    const { core } = this
    const { members, messages } = core.rows
    if (!core.isAmong(accountId)) return null
    const sealed = await core.keys.seal({ authorId: accountId, clientId, edits: 0 }, body)
    if (sealed === null || !core.isAmong(accountId)) return null
    const first = messages.sentAs(accountId, clientId)
    if (first) return this.repeated(first, body)
    if (core.isEnded()) return 'ended'
    if (this.isFullFor(accountId)) return 'full'
    if (!mayWrite(core, accountId)) return 'locked'
    const [at, revision] = [Date.now(), core.rows.nextVersion()]
    const seq = messages.append({ authorId: accountId, clientId, at, body: sealed, revision })
    members.moveTo('active', accountId)
    members.read(accountId, seq)
    core.announceTo(...core.memberIds())
    core.tryOutboxLater()
    const message = { seq, kind: 'text', system: null, authorId: accountId, clientId, at } as const
    return { ...message, inGroup: core.rows.group.exists(), editedAt: null, revision, body }
  }

  async page(wanted: PageOf): Promise<StoredMessage[] | null> {
    if (!this.core.isMember(wanted.accountId)) return null
    return Promise.all(this.core.rows.messages.page(wanted).map((row) => this.core.opened(row)))
  }

  async changes({ limit, ...wanted }: ChangesSince): Promise<Changes | null> {
    if (!this.core.isMember(wanted.accountId)) return null
    const { messages } = this.core.rows
    const found = messages.changes({ ...wanted, limit: limit + 1 })
    const kept = found.slice(0, limit)
    const rows = kept.flatMap(({ seq, isHidden }) => (isHidden ? [] : (messages.one(wanted.accountId, seq) ?? [])))
    return {
      messages: await Promise.all(rows.map((row) => this.core.opened(row))),
      hidden: kept.flatMap(({ seq, isHidden }) => (isHidden ? [seq] : [])),
      revision: kept.at(-1)?.revision ?? wanted.since,
      hasMore: found.length > limit,
    }
  }

  async history(accountId: Id, seq: number): Promise<History | null> {
    const row = this.core.isMember(accountId) ? this.core.rows.messages.one(accountId, seq) : null
    return row && this.historyOf(row)
  }

  /** All that the account has written, for its export. */
  async written(wanted: WrittenAfter): Promise<History[]> {
    return Promise.all(this.core.rows.messages.written(wanted).map((row) => this.historyOf(row)))
  }

  async act({ accountId, seq, act }: Acting): Promise<StoredMessage | 'done' | NotDone | null> {
    const own = act.kind === 'delete' ? this.core.rows.messages.authored(accountId, seq) : null
    if (own) return this.delete(own)
    if (!this.core.isMember(accountId)) return null
    if (act.kind === 'hide') return this.hide(accountId, seq)
    const row = this.core.rows.messages.one(accountId, seq)
    if (!row) return null
    if (row.authorId !== Number(accountId)) return 'foreign'
    return act.kind === 'edit' ? this.edit(accountId, row, act.body) : this.delete(row)
  }

  private async historyOf(row: Row): Promise<History> {
    const stored = this.core.rows.messages.versions(row.seq)
    const opened = stored.map(async ({ at, body, number }): Promise<Version> => {
      return { at, body: (await this.core.opened({ ...row, edits: number, body })).body }
    })
    return { message: await this.core.opened(row), versions: await Promise.all(opened) }
  }

  private async edit(authorId: Id, row: Row, body: Body): Promise<StoredMessage | 'done' | NotDone | null> {
    const { core } = this
    const { seq, clientId, edits } = row
    const before = await core.opened(row)
    if (before.body === null || clientId === null) return null
    if (before.body.text === body.text) return before
    const sealed = await core.keys.seal({ authorId, clientId, edits: edits + 1 }, body)
    const current = core.rows.messages.one(authorId, seq)
    if (sealed === null || current?.revision !== row.revision) {
      return this.act({ accountId: authorId, seq, act: { kind: 'edit', body } })
    }
    const now = Date.now()
    if (core.isEnded() || !mayWrite(core, authorId)) return 'ended'
    if (now - row.at > EDITABLE_MS) return 'late'
    if (edits >= MAX_EDITS) return 'often'
    const revision = core.rows.nextVersion()
    core.rows.messages.edit(row, { at: now, body: sealed, revision })
    core.announceTo(...core.memberIds())
    core.tryOutboxLater()
    return { ...before, editedAt: now, revision, body }
  }

  private async delete({ seq, isDeleted }: Row): Promise<'done'> {
    if (!isDeleted) {
      this.core.rows.messages.delete(seq, this.core.rows.nextVersion())
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
    if (this.core.rows.group.exists()) return false
    const isWaiting = this.core.rows.members
      .all()
      .some((member) => member.accountId !== Number(accountId) && member.state === 'request')
    return isWaiting && (this.core.rows.head()?.lastSeq ?? 0) >= MAX_UNANSWERED
  }

  /** The first message as it is now. An edit does not make its repetition a mismatch. */
  private async repeated(first: Row, { text }: Body): Promise<StoredMessage | 'mismatch'> {
    const [original] = this.core.rows.messages.versions(first.seq)
    const sent = await this.core.opened(original ? { ...first, edits: 0, body: original.body } : first)
    if (sent.body && sent.body.text !== text) return 'mismatch'
    return original ? this.core.opened(first) : sent
  }
}
