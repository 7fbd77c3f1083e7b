import { DurableObject } from 'cloudflare:workers'
import type { Id } from '../../platform/data/ids.ts'
import { isMigrated } from '../../platform/objects/migrate-object.ts'
import type { EndpointState } from './endpoint-state.ts'
import type { DeliveryFacts, Owner, PageOf, StoredDelivery } from './facts.ts'
import type { Message } from './messages.ts'

type Module = typeof import('./endpoint-state.ts')

/** The deliveries of one endpoint of a webhook, with their attempts. A dead endpoint delays no other. */
export class WebhookObject extends DurableObject<Env> {
  private module: Module | null = null
  private state: EndpointState | null = null

  /** For the health check. */
  async ready(): Promise<void> {
    await this.loaded()
    this.existing()
  }

  async accept(owner: Owner, messages: readonly Message[]): Promise<void> {
    await this.loaded()
    this.current().accept(owner, messages)
  }

  async page(wanted: PageOf): Promise<StoredDelivery[]> {
    await this.loaded()
    return this.existing()?.page(wanted) ?? []
  }

  async read(id: Id): Promise<DeliveryFacts | null> {
    await this.loaded()
    return this.existing()?.read(id) ?? null
  }

  async replay(from: number, before: number): Promise<number> {
    await this.loaded()
    return this.existing()?.replay(from, before) ?? 0
  }

  async wake(): Promise<void> {
    await this.loaded()
    this.existing()?.wake()
  }

  async clear(): Promise<void> {
    this.state = null
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()])
  }

  override async alarm(): Promise<void> {
    await this.loaded()
    if ((await this.existing()?.alarm()) === 'deleted') await this.clear()
  }

  /** The module loads on first use, because most isolates send no webhook. */
  private async loaded(): Promise<void> {
    this.module ??= await import('./endpoint-state.ts')
  }

  /** An id that somebody made up must not create an object. */
  private existing(): EndpointState | null {
    return this.state || isMigrated(this.ctx.storage) ? this.current() : null
  }

  private current(): EndpointState {
    if (!this.module) throw new Error('the module is not loaded')
    this.state ??= new this.module.EndpointState(this.ctx, this.env)
    return this.state
  }
}
