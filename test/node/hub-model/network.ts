import { Died, Hub } from './hub.ts'
import type { Task } from './schedule.ts'
import type { Socket, World } from './world.ts'

const DEATHS = 2

/** Calls of the hub, which may die at any time and is then started again. */
export class Network {
  readonly world: World
  private hub: Hub
  private deaths = 0

  constructor(world: World) {
    this.world = world
    this.hub = new Hub(world)
  }

  /** False if the hub died: whether the call had an effect is unknown. */
  *call(run: (hub: Hub) => Task): Task<boolean> {
    yield
    try {
      yield* run(this.hub)
    } catch (error) {
      if (error instanceof Died) return false
      throw error
    }
    yield
    return true
  }

  disconnect(socket: Socket): void {
    if (socket.isOpen) this.hub.disconnect(socket)
  }

  *sweepNowAndThen(): Task {
    for (;;) {
      yield* this.world.schedule.pause(10)
      yield* this.call((hub) => hub.sweep())
      yield
    }
  }

  /** Lets the hub die a few times, also between sending and keeping a frame. */
  *die(): Task {
    this.world.dies = () => this.deaths < DEATHS && this.world.schedule.chance(0.1) && this.restart()
    while (this.deaths < DEATHS) {
      yield* this.world.schedule.pause(60)
      this.restart()
    }
  }

  private restart(): true {
    this.deaths += 1
    this.hub.die()
    this.hub = new Hub(this.world)
    return true
  }
}
