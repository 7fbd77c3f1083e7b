import type { Id } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import type {
  Changes,
  ChangesSince,
  Found,
  History,
  PageOf,
  Reaction,
  Searching,
  StoredMessage,
  Version,
  WrittenAfter,
} from './facts.ts'
import type { Row } from './message-rows.ts'
import { matches } from './search-terms.ts'

const MAX_SEARCHED = 500
const SEARCHED_AT_ONCE = 100

export class MessageReads {
  constructor(private readonly core: ConversationCore) {}

  async page(wanted: PageOf): Promise<StoredMessage[] | null> {
    if (!this.core.isMember(wanted.accountId)) return null
    return Promise.all(this.core.rows.messages.page(wanted).map((row) => this.core.shown(wanted.accountId, row)))
  }

  async changes({ limit, ...wanted }: ChangesSince): Promise<Changes | null> {
    if (!this.core.isMember(wanted.accountId)) return null
    const { messages } = this.core.rows
    const found = messages.changes({ ...wanted, limit: limit + 1 })
    const kept = found.slice(0, limit)
    const rows = kept.flatMap(({ seq, isHidden }) => (isHidden ? [] : (messages.one(wanted.accountId, seq) ?? [])))
    return {
      messages: await Promise.all(rows.map((row) => this.core.shown(wanted.accountId, row))),
      hidden: kept.flatMap(({ seq, isHidden }) => (isHidden ? [seq] : [])),
      revision: kept.at(-1)?.revision ?? wanted.since,
      hasMore: found.length > limit,
    }
  }

  async history(accountId: Id, seq: number): Promise<History | null> {
    const row = this.core.isMember(accountId) ? this.core.rows.messages.one(accountId, seq) : null
    return row && this.historyOf(accountId, row)
  }

  /** All that the account has written, for its export. */
  async written(wanted: WrittenAfter): Promise<History[]> {
    return Promise.all(this.core.rows.messages.written(wanted).map((row) => this.historyOf(wanted.accountId, row)))
  }

  /** Looks through at most `MAX_SEARCHED` messages, newest first. `next`: where the next call goes on. */
  async search({ accountId, terms, before, limit }: Searching): Promise<Found | null> {
    const found: StoredMessage[] = []
    let cursor = before
    for (let searched = 0; searched < MAX_SEARCHED; searched += SEARCHED_AT_ONCE) {
      if (!this.core.isMember(accountId)) return null
      const wanted = { accountId, after: 0, cursor, backward: false, limit: SEARCHED_AT_ONCE }
      const rows = this.core.rows.messages.page(wanted)
      const bodies = await Promise.all(rows.map((row) => this.core.bodyOf(row)))
      for (const [i, row] of rows.entries()) {
        cursor = row.seq
        if (!matches(bodies[i]?.text, terms)) continue
        found.push(await this.core.shown(accountId, row))
        if (found.length === limit) return { messages: found, next: cursor }
      }
      if (rows.length < SEARCHED_AT_ONCE) return { messages: found, next: null }
    }
    return { messages: found, next: cursor }
  }

  async pinned(accountId: Id): Promise<StoredMessage[] | null> {
    if (!this.core.isMember(accountId)) return null
    return Promise.all(this.core.rows.messages.pinned(accountId).map((row) => this.core.shown(accountId, row)))
  }

  reactionsOf(accountId: Id): (Reaction & { seq: number })[] {
    return this.core.rows.reactions.by(accountId)
  }

  findImage(mediaId: Id, accountId: Id | null): boolean {
    const seq = this.core.rows.images.messageOf(mediaId)
    if (seq === null || accountId === null) return seq !== null
    return this.core.isMember(accountId) && this.core.rows.messages.one(accountId, seq) !== null
  }

  private async historyOf(viewerId: Id, row: Row): Promise<History> {
    const stored = this.core.rows.messages.versions(row.seq)
    const opened = stored.map(async ({ at, body, number }): Promise<Version> => {
      return { at, body: await this.core.bodyOf({ ...row, edits: number, body }) }
    })
    return { message: await this.core.shown(viewerId, row), versions: await Promise.all(opened) }
  }
}
