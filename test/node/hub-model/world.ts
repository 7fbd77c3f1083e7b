import type { Schedule, Task } from './schedule.ts'

/** The steps of the protocol that a test leaves out, to see that the model notices. */
export const steps = [
  'register before hello',
  'index before the hubs are read',
  'one change of the registration at a time',
  'a refresh reads after it was asked',
  'a follow refreshes before its answer',
  'except names the blocked',
  'except is kept',
  'a block is acknowledged after the refresh',
  'the follow ends before the refresh',
  'the sweep spares those who arrive',
] as const
/** Those that matter only if the hub dies. */
export const crashSteps = [
  'rows are written after the registration',
  'a reading does not write for an account that was swept',
  'the registration has an epoch',
] as const
export type Step = (typeof steps)[number] | (typeof crashSteps)[number]

export type Reader = string
export type Frame = { seq: number; post: number } | { seq: number; resumed: boolean }
/** A socket. `inFlight` are frames that the client has not received yet. */
export type Socket = { reader: Reader; inFlight: Frame[]; isOpen: boolean }
export type Kept = { slot: number; seq: number; post: number; except: Reader[] }

/** Two databases, one author, and what a hub of the readers' shard has on its disk. */
export class World {
  readonly schedule: Schedule
  readonly leftOut: Step | null
  readonly ring: number
  readonly lingers: number
  // The author's shard.
  readonly posts = new Set<number>()
  readonly blocked = new Set<Reader>()
  /** Blocks whose event is not acknowledged. */
  readonly pendingBlocks = new Set<Reader>()
  // The readers' shard.
  readonly follows = new Set<Reader>()
  readonly feedIndex = new Set<number>()
  hubRow: { epoch: number } | null = null
  // The hub's disk.
  readonly rows = new Map<Reader, { from: number; follows: boolean }>()
  readonly frames = new Map<number, Kept>()
  /** Whether the hub dies at this point. */
  dies: () => boolean = () => false

  constructor(schedule: Schedule, leftOut: Step | null) {
    this.schedule = schedule
    this.leftOut = leftOut
    this.ring = 1 + Math.floor(schedule.random() * 4)
    this.lingers = Math.floor(schedule.random() * 30)
  }

  keeps(step: Step): boolean {
    return this.leftOut !== step
  }

  /** Changes the hub's row in the database. The change arrives even if the hub dies meanwhile. */
  setActive(epoch: number, isActive: boolean): { isDone: boolean } {
    const call = { isDone: false }
    this.schedule.start(this.change(epoch, isActive, call))
    return call
  }

  private *change(epoch: number, isActive: boolean, call: { isDone: boolean }): Task {
    yield
    const isLate = this.keeps('the registration has an epoch') && this.hubRow !== null && this.hubRow.epoch > epoch
    if (!isLate) this.hubRow = isActive ? { epoch } : null
    yield
    call.isDone = true
  }
}
