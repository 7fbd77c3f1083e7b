import type { Network } from './network.ts'
import type { Task } from './schedule.ts'
import type { Frame, Reader, Socket } from './world.ts'

const VISITS = 3

/** A client that connects and disconnects, resumes where it was, and reads its feed again when it is told to. */
export class Client {
  readonly reader: Reader
  /** Posts that it got as frames, and posts that it read in its feed. */
  readonly told = new Set<number>()
  readonly read = new Set<number>()
  isInOrder = true
  private readonly network: Network
  private seq = 0
  private isStale = true

  constructor(network: Network, reader: Reader) {
    this.network = network
    this.reader = reader
  }

  /** Comes and goes, then stays until nothing happens any more. */
  *live(isQuiet: () => boolean): Task {
    const { schedule } = this.network.world
    for (let visit = 0; visit < VISITS; visit++) {
      yield* schedule.pause(30)
      let left = schedule.random() * 25
      yield* this.visit(() => left-- < 0)
    }
    for (let isDone = false; !isDone; ) {
      yield* this.visit((socket) => {
        isDone = isQuiet() && socket.inFlight.length === 0 && !this.isStale
        return isDone
      })
      yield
    }
  }

  private *visit(isOver: (socket: Socket) => boolean): Task {
    const socket: Socket = { reader: this.reader, inFlight: [], isOpen: true }
    const isConnected = yield* this.network.call((hub) => hub.connect(socket, this.isStale ? null : this.seq))
    while (isConnected && socket.isOpen && !isOver(socket)) {
      yield
      const frame = socket.inFlight.shift()
      if (frame) yield* this.receive(frame)
    }
    this.network.disconnect(socket)
  }

  private *receive(frame: Frame): Task {
    const isResumed = 'resumed' in frame && frame.resumed
    if (isResumed ? frame.seq !== this.seq : frame.seq <= this.seq) this.isInOrder = false
    this.seq = frame.seq
    if ('post' in frame) this.told.add(frame.post)
    else if (!frame.resumed) yield* this.readFeed()
  }

  private *readFeed(): Task {
    this.isStale = true
    yield
    const { follows, feedIndex } = this.network.world
    if (follows.has(this.reader)) for (const post of feedIndex) this.read.add(post)
    yield
    this.isStale = false
  }
}
