import { DurableObject } from 'cloudflare:workers'
import type { Id } from '../../platform/data/ids.ts'
import { isMigrated } from '../../platform/objects/migrate-object.ts'
import type { ConversationState } from './conversation-state.ts'
import type {
  Acting,
  Block,
  Changes,
  ChangesSince,
  Facts,
  Found,
  History,
  Mark,
  News,
  NotDone,
  Opening,
  PageOf,
  Reaction,
  Refused,
  Searching,
  Sending,
  StoredMessage,
  WrittenAfter,
} from './facts.ts'
import type {
  GroupChange,
  GroupCreation,
  GroupRefusal,
  Joining,
  LinkPreview,
  MembersOf,
  StoredGroup,
  StoredMember,
} from './group-facts.ts'

type Module = typeof import('./conversation-state.ts')

/** The messages of a conversation in their one order, its members, and what each of them has read. */
export class ConversationObject extends DurableObject<Env> {
  private module: Module | null = null
  private state: ConversationState | null = null

  /** For the health check. */
  async ready(): Promise<void> {
    await this.loaded()
    this.existing()
  }

  async open(opening: Opening): Promise<Facts> {
    await this.loaded()
    return this.current().open(opening)
  }

  async read(accountId: Id): Promise<Facts | null> {
    await this.loaded()
    return this.existing()?.factsFor(accountId) ?? null
  }

  async news(accountId: Id): Promise<News | null> {
    await this.loaded()
    return this.existing()?.news(accountId) ?? null
  }

  async isMember(accountId: Id): Promise<boolean> {
    await this.loaded()
    return this.existing()?.isMember(accountId) ?? false
  }

  async send(sending: Sending): Promise<StoredMessage | Refused | null> {
    await this.loaded()
    return this.existing()?.messages.send(sending) ?? null
  }

  async page(wanted: PageOf): Promise<StoredMessage[] | null> {
    await this.loaded()
    return this.existing()?.reads.page(wanted) ?? null
  }

  async changes(wanted: ChangesSince): Promise<Changes | null> {
    await this.loaded()
    return this.existing()?.reads.changes(wanted) ?? null
  }

  async history(accountId: Id, seq: number): Promise<History | null> {
    await this.loaded()
    return this.existing()?.reads.history(accountId, seq) ?? null
  }

  async written(wanted: WrittenAfter): Promise<History[]> {
    await this.loaded()
    return this.existing()?.reads.written(wanted) ?? []
  }

  async pinned(accountId: Id): Promise<StoredMessage[] | null> {
    await this.loaded()
    return this.existing()?.reads.pinned(accountId) ?? null
  }

  async reactionsOf(accountId: Id): Promise<(Reaction & { seq: number })[]> {
    await this.loaded()
    return this.existing()?.reads.reactionsOf(accountId) ?? []
  }

  async hasSent(accountId: Id, clientId: string): Promise<boolean | null> {
    await this.loaded()
    return this.existing()?.messages.hasSent(accountId, clientId) ?? null
  }

  async findImage(mediaId: Id, accountId: Id | null): Promise<boolean> {
    await this.loaded()
    return this.existing()?.reads.findImage(mediaId, accountId) ?? false
  }

  async act(acting: Acting): Promise<StoredMessage | 'done' | NotDone | null> {
    await this.loaded()
    return this.existing()?.messages.act(acting) ?? null
  }

  async markRead(accountId: Id, seq: number): Promise<boolean> {
    await this.loaded()
    return this.existing()?.marks.markRead(accountId, seq) ?? false
  }

  async markDelivered(accountId: Id, seq: number): Promise<boolean> {
    await this.loaded()
    return this.existing()?.marks.markDelivered(accountId, seq) ?? false
  }

  async typing(accountId: Id): Promise<boolean> {
    await this.loaded()
    return this.existing()?.marks.typing(accountId) ?? false
  }

  async marks(accountId: Id): Promise<Mark[] | null> {
    await this.loaded()
    return this.existing()?.marks.marks(accountId) ?? null
  }

  async mute(accountId: Id, until: number): Promise<boolean> {
    await this.loaded()
    return this.existing()?.marks.mute(accountId, until) ?? false
  }

  async search(searching: Searching): Promise<Found | null> {
    await this.loaded()
    return this.existing()?.reads.search(searching) ?? null
  }

  async answer(accountId: Id, state: 'active' | 'declined'): Promise<boolean> {
    await this.loaded()
    return this.existing()?.answer(accountId, state) ?? false
  }

  async createGroup(creation: GroupCreation): Promise<boolean> {
    await this.loaded()
    return this.current().group.create(creation)
  }

  async readGroup(accountId: Id): Promise<StoredGroup | null> {
    await this.loaded()
    return this.existing()?.group.read(accountId) ?? null
  }

  async changeGroup(by: Id, change: GroupChange): Promise<GroupRefusal | null> {
    await this.loaded()
    const state = this.existing()
    const refusal = state ? await state.group.change(by, change) : 'absent'
    await this.forgetIfUnused()
    return refusal
  }

  async wouldAdd({ by, accountId }: { by: Id; accountId: Id }): Promise<boolean | GroupRefusal> {
    await this.loaded()
    return this.existing()?.group.wouldAdd(by, accountId) ?? 'absent'
  }

  async members(wanted: MembersOf): Promise<StoredMember[] | GroupRefusal> {
    await this.loaded()
    return this.existing()?.group.members(wanted) ?? 'absent'
  }

  async previewLink(accountId: Id, hash: string): Promise<LinkPreview | null> {
    await this.loaded()
    return this.existing()?.group.preview(accountId, hash) ?? null
  }

  async join(joining: Joining): Promise<'joined' | 'asked' | GroupRefusal> {
    await this.loaded()
    return this.existing()?.group.join(joining) ?? 'absent'
  }

  async block(block: Block): Promise<void> {
    await this.loaded()
    const isNew = this.existing() === null
    if (isNew && !(block.isBlocking && (await this.module?.isAccount(this.env, block.otherId)))) return
    this.current().block(block)
    await this.forgetIfUnused()
  }

  async erase(accountId: Id): Promise<void> {
    await this.loaded()
    await this.existing()?.erase(accountId)
    await this.forgetIfUnused()
  }

  override async alarm(): Promise<void> {
    await this.loaded()
    await this.existing()?.alarm()
    await this.forgetIfUnused()
  }

  /** The module loads on first use, because most isolates serve no conversation. */
  private async loaded(): Promise<void> {
    this.module ??= await import('./conversation-state.ts')
  }

  /** An id that somebody made up must not create an object, so only `open` and `block` write to an empty one. */
  private existing(): ConversationState | null {
    return this.state || isMigrated(this.ctx.storage) ? this.current() : null
  }

  private current(): ConversationState {
    if (!this.module) throw new Error('the module is not loaded')
    this.state ??= new this.module.ConversationState(this.ctx, this.env)
    return this.state
  }

  /** In one turn, so that no other call finds the tables gone. */
  private async forgetIfUnused(): Promise<void> {
    if (!this.existing()?.isUnused()) return
    this.state = null
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()])
  }
}
