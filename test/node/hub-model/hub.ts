import type { Task } from './schedule.ts'
import type { Frame, Kept, Reader, Socket, World } from './world.ts'

const PER_STEP = 64

type Listener = {
  reader: Reader
  follows: boolean | null
  from: number
  sockets: Set<Socket>
  arriving: number
  leftAt: number
  isStored: boolean
  asked: number
  done: number
  isReading: boolean
}

/** Thrown to the callers of a hub that has died. */
export class Died extends Error {}

/** One life of a hub, from its load to its death: `src/platform/realtime/hub.object.ts` without accounts and channels. */
export class Hub {
  private readonly world: World
  private readonly listeners = new Map<Reader, Listener>()
  private readonly frames = new Map<number, Kept>()
  private readonly epoch: number
  private isActive: boolean | null
  private readonly turns = { next: 0, current: 0 }
  private slot = 0
  private last = 0
  private lost = 0
  private isDead = false

  constructor(world: World) {
    this.world = world
    for (const [reader, row] of world.rows) Object.assign(this.enter(reader), row, { isStored: true })
    for (const kept of [...world.frames.values()].sort((a, b) => a.seq - b.seq)) this.add(kept)
    const [first] = this.frames.values()
    if (first && this.frames.size === world.ring) this.lost = first.seq - 1
    for (const { from } of world.rows.values()) this.last = Math.max(this.last, from)
    this.epoch = this.next()
    this.isActive = this.listeners.size > 0 ? true : null
  }

  /** The sockets end with the hub. */
  die(): void {
    this.isDead = true
    for (const { sockets } of this.listeners.values()) for (const socket of sockets) socket.isOpen = false
  }

  *connect(socket: Socket, since: number | null): Task {
    const listener = this.enter(socket.reader)
    if (!this.world.keeps('rows are written after the registration')) this.store(listener)
    const isRegisteredLate = !this.world.keeps('register before hello')
    if (isRegisteredLate) this.world.schedule.start(orDead(this.arrive(listener)))
    else yield* this.arrive(listener)
    this.greet(listener, socket, since)
  }

  private *arrive(listener: Listener): Task {
    listener.arriving += 1
    try {
      yield* this.register(true)
      if (listener.follows === null) yield* this.read(listener)
    } finally {
      listener.arriving -= 1
    }
  }

  private greet(listener: Listener, socket: Socket, since: number | null): void {
    if (!listener.isStored) this.store(listener)
    listener.sockets.add(socket)
    const missed = since === null ? null : this.missed(listener, since)
    socket.inFlight.push({ seq: missed && since !== null ? since : this.next(), resumed: missed !== null })
    socket.inFlight.push(...(missed ?? []))
  }

  private missed({ reader, follows, from }: Listener, since: number): Frame[] | null {
    if (follows === null || since < Math.max(from, this.lost) || since > this.last) return null
    const after = [...this.frames.values()].filter(({ seq, except }) => seq > since && !except.includes(reader))
    return follows ? after.map(({ seq, post }) => ({ seq, post })) : []
  }

  *publish(post: number, except: Reader[]): Task {
    if (this.listeners.size === 0) this.world.schedule.start(orDead(this.register(false)))
    if ([...this.frames.values()].some((kept) => kept.post === post)) return
    const seq = this.next()
    const heard = [...this.listeners.values()].filter(({ reader, follows }) => follows && !except.includes(reader))
    for (const { sockets } of heard) for (const socket of sockets) socket.inFlight.push({ seq, post })
    if (this.world.dies()) throw new Died() // between sending and keeping
    const slot = (this.slot + 1) % this.world.ring
    if (heard.length > 0) this.keep({ slot, seq, post, except: this.world.keeps('except is kept') ? except : [] })
    yield* this.pause()
  }

  /** Reads again whom the reader follows. Waits for a reading that began after the call. */
  *refresh(reader: Reader): Task {
    const listener = this.listeners.get(reader)
    if (listener) yield* this.read(listener)
  }

  disconnect(socket: Socket): void {
    const listener = this.listeners.get(socket.reader)
    socket.isOpen = false
    if (!listener?.sockets.delete(socket)) return
    listener.leftAt = this.world.schedule.now
  }

  /** Forgets those who left a while ago. */
  *sweep(): Task {
    for (const listener of this.listeners.values()) {
      const isArriving = listener.arriving > 0 && this.world.keeps('the sweep spares those who arrive')
      const isOver = listener.leftAt + this.world.lingers <= this.world.schedule.now
      if (listener.sockets.size > 0 || isArriving || !isOver) continue
      this.listeners.delete(listener.reader)
      this.world.rows.delete(listener.reader)
    }
    if (this.listeners.size > 0) return
    this.frames.clear()
    this.world.frames.clear()
    yield* this.register(false)
  }

  /** Takes its turn at once, not when it is first resumed. */
  private register(isActive: boolean): Task {
    return this.change(isActive, this.turns.next++)
  }

  private *change(isActive: boolean, turn: number): Task {
    while (this.turns.current < turn && this.world.keeps('one change of the registration at a time'))
      yield* this.pause()
    if (this.isActive !== isActive) {
      this.isActive = null
      const call = this.world.setActive(this.epoch, isActive)
      while (!call.isDone) yield* this.pause()
      this.isActive = isActive
    }
    this.turns.current += 1
  }

  private *read(listener: Listener): Task {
    const turn = ++listener.asked
    const isJoining = listener.isReading && !this.world.keeps('a refresh reads after it was asked')
    do {
      if (listener.isReading) yield* this.pause()
      else yield* this.readOnce(listener)
    } while (isJoining ? listener.isReading : listener.done < turn)
  }

  private *readOnce(listener: Listener): Task {
    const turn = listener.asked
    listener.isReading = true
    yield* this.pause()
    const follows = this.world.follows.has(listener.reader)
    yield* this.pause()
    listener.isReading = false
    if (listener.follows === null) listener.from = this.next()
    listener.follows = follows
    listener.done = turn
    const isHeld = this.listeners.get(listener.reader) === listener
    const isSpared = isHeld || !this.world.keeps('a reading does not write for an account that was swept')
    if (listener.isStored && isSpared) this.store(listener)
  }

  private enter(reader: Reader): Listener {
    const known = this.listeners.get(reader)
    if (known) return known
    const fresh = { reader, follows: null, from: 0, sockets: new Set<Socket>(), arriving: 0, isStored: false }
    const listener = { ...fresh, leftAt: this.world.schedule.now, asked: 0, done: 0, isReading: false }
    this.listeners.set(reader, listener)
    return listener
  }

  private store(listener: Listener): void {
    listener.isStored = true
    this.world.rows.set(listener.reader, { from: listener.from, follows: listener.follows ?? false })
  }

  private keep(kept: Kept): void {
    const replaced = this.frames.get(kept.slot)
    if (replaced) this.lost = Math.max(this.lost, replaced.seq)
    this.frames.delete(kept.slot)
    this.add(kept)
    this.world.frames.set(kept.slot, kept)
  }

  private add(kept: Kept): void {
    this.frames.set(kept.slot, kept)
    this.slot = kept.slot
    this.last = Math.max(this.last, kept.seq)
  }

  private next(): number {
    this.last = Math.max(this.last + 1, this.world.schedule.now * PER_STEP)
    return this.last
  }

  private *pause(): Task {
    yield
    if (this.isDead) throw new Died()
  }
}

/** Work of a hub that nobody waits for. */
function* orDead(work: Task): Task {
  try {
    yield* work
  } catch (error) {
    if (!(error instanceof Died)) throw error
  }
}
