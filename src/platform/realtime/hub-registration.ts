import { setActive } from './hubs.ts'

/** The hub's row in `hubs`, which tells publishers that it has listeners. */
export class HubRegistration {
  private readonly env: Env
  private readonly hub: { name: string; epoch: number }
  /** Null if the row may be there although the hub has no listeners. */
  private isActive: boolean | null
  private last: Promise<void> = Promise.resolve()

  constructor(env: Env, hub: { name: string; epoch: number }, hasListeners: boolean) {
    this.env = env
    this.hub = hub
    this.isActive = hasListeners ? true : null
  }

  /** One after the other, because two writes under way may arrive in either order. */
  set(isActive: boolean): Promise<void> {
    const change = async () => {
      if (this.isActive === isActive) return
      this.isActive = null
      await setActive(this.env, this.hub, isActive)
      this.isActive = isActive
    }
    this.last = this.last.then(change, change)
    return this.last
  }
}
