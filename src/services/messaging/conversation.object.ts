import { DurableObject } from 'cloudflare:workers'
import type { Id } from '../../platform/data/ids.ts'
import { isMigrated } from '../../platform/objects/migrate-object.ts'
import type { ConversationState } from './conversation-state.ts'
import type { Block, Facts, Opening, PageOf, Sending, StoredMessage } from './facts.ts'

/** The messages of a conversation in their one order, its members, and what each of them has read. */
export class ConversationObject extends DurableObject<Env> {
  private state: ConversationState | null = null

  /** For the health check. */
  async ready(): Promise<void> {
    await this.existing()
  }

  async open(opening: Opening): Promise<Facts> {
    return (await this.load()).open(opening)
  }

  async read(accountId: Id): Promise<Facts | null> {
    return (await this.existing())?.factsFor(accountId) ?? null
  }

  async isMember(accountId: Id): Promise<boolean> {
    return (await this.existing())?.isMember(accountId) ?? false
  }

  async send(sending: Sending): Promise<StoredMessage | 'ended' | null> {
    return (await this.existing())?.send(sending) ?? null
  }

  async page(wanted: PageOf): Promise<StoredMessage[] | null> {
    return (await this.existing())?.page(wanted) ?? null
  }

  async markRead(accountId: Id, seq: number): Promise<boolean> {
    return (await this.existing())?.markRead(accountId, seq) ?? false
  }

  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    return (await this.existing())?.answer(accountId, state) ?? false
  }

  async block(block: Block): Promise<void> {
    const state = await this.load()
    state.block(block)
    await this.forgetIfUnused(state)
  }

  async erase(accountId: Id): Promise<void> {
    const state = await this.existing()
    if (!state) return
    await state.erase(accountId)
    await this.forgetIfUnused(state)
  }

  override async alarm(): Promise<void> {
    await (await this.existing())?.alarm()
  }

  /** An id that somebody made up must not create an object, so only `open` and `block` write to an empty one. */
  private async existing(): Promise<ConversationState | null> {
    return this.state || isMigrated(this.ctx.storage) ? this.load() : null
  }

  /** The module loads on first use, because most isolates serve no conversation. */
  private async load(): Promise<ConversationState> {
    const { ConversationState } = await import('./conversation-state.ts')
    this.state ??= new ConversationState(this.ctx, this.env)
    return this.state
  }

  private async forgetIfUnused(state: ConversationState): Promise<void> {
    if (!state.isUnused()) return
    this.state = null
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()])
  }
}
