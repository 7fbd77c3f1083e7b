import { Client } from './client.ts'
import { Network } from './network.ts'
import { randomFrom, Schedule, type Task } from './schedule.ts'
import { type Reader, type Step, World } from './world.ts'

const [READERS, POSTS] = [2, 3]

type Relation = { isFollowing: boolean; isBlocking: boolean; isBlocked: boolean }

/** A random history of an author and some readers. It ends when all events were processed and all frames have arrived. */
export class History {
  readonly relations = new Map<Reader, Relation>()
  readonly clients: Client[] = []
  /** Who must get a post, and who must not, as decided when it begins. */
  readonly due: { post: number; reader: Reader }[] = []
  readonly forbidden: { post: number; reader: Reader }[] = []
  private readonly world: World
  private readonly network: Network
  private busy = 0

  constructor(seed: number, { leftOut, dies }: { leftOut: Step | null; dies: boolean }) {
    const schedule = new Schedule(randomFrom(seed))
    this.world = new World(schedule, leftOut)
    for (let i = 0; i < READERS; i++) this.addReader(`reader ${i}`)
    this.network = new Network(this.world)
    this.clients = [...this.relations.keys()].map((reader) => new Client(this.network, reader))
    for (const client of this.clients) schedule.start(client.live(() => this.busy === 0))
    for (const reader of this.relations.keys()) this.act(this.relate(reader))
    for (let post = 1; post <= POSTS; post++) this.act(this.publish(post))
    schedule.start(this.network.sweepNowAndThen(), true)
    if (dies) schedule.start(this.network.die(), true)
    schedule.run()
  }

  private addReader(reader: Reader): void {
    const isFollowing = this.world.schedule.chance(0.5)
    if (isFollowing) this.world.follows.add(reader)
    this.relations.set(reader, { isFollowing, isBlocking: false, isBlocked: false })
  }

  /** Starts a task that the history waits for. */
  private act(task: Task): void {
    this.busy += 1
    this.world.schedule.start(this.counted(task))
  }

  private *counted(task: Task): Task {
    yield* task
    this.busy -= 1
  }

  /** Follows if the reader does not yet. Then the author blocks some readers. */
  private *relate(reader: Reader): Task {
    const { schedule } = this.world
    const relation = this.relations.get(reader)!
    yield* schedule.pause(60)
    if (!relation.isFollowing) yield* this.follow(reader, relation)
    if (schedule.chance(0.5)) return
    yield* schedule.pause(60)
    relation.isBlocking = true
    yield
    this.world.blocked.add(reader)
    this.world.pendingBlocks.add(reader)
    this.act(this.endFollow(reader))
    yield
    relation.isBlocked = true
  }

  private *follow(reader: Reader, relation: Relation): Task {
    const { world } = this
    world.follows.add(reader)
    const isHubActive = world.hubRow !== null
    this.act(this.repeatRefresh(reader, relation))
    yield
    const refreshes = isHubActive && world.keeps('a follow refreshes before its answer')
    const isDone = !refreshes || (yield* this.network.call((hub) => hub.refresh(reader)))
    if (isDone) relation.isFollowing = true
  }

  /** The event of a follow. If the hub died during the verb's refresh, the follow counts from here. */
  private *repeatRefresh(reader: Reader, relation: Relation): Task {
    yield* this.world.schedule.pause(30)
    while (!(yield* this.network.call((hub) => hub.refresh(reader)))) yield
    relation.isFollowing = true
  }

  /** The event of a block. */
  private *endFollow(reader: Reader): Task {
    const { world } = this
    yield* world.schedule.pause(20)
    const isRefreshedFirst = !world.keeps('the follow ends before the refresh')
    if (!world.keeps('a block is acknowledged after the refresh')) world.pendingBlocks.delete(reader)
    yield
    if (!isRefreshedFirst) world.follows.delete(reader)
    while (!(yield* this.network.call((hub) => hub.refresh(reader)))) yield
    if (isRefreshedFirst) world.follows.delete(reader)
    yield
    world.pendingBlocks.delete(reader)
  }

  private *publish(post: number): Task {
    yield* this.world.schedule.pause(120)
    for (const [reader, { isFollowing, isBlocking, isBlocked }] of this.relations) {
      if (isFollowing && !isBlocking) this.due.push({ post, reader })
      if (isBlocked) this.forbidden.push({ post, reader })
    }
    yield
    this.world.posts.add(post)
    this.act(this.announce(post))
    if (this.world.schedule.chance(0.1)) this.act(this.announce(post)) // a queue may deliver twice
  }

  private *announce(post: number): Task {
    const { world } = this
    for (let isTold = false; !isTold; ) {
      yield
      const names = world.keeps('except names the blocked')
      const except = names ? [...world.pendingBlocks] : []
      yield
      const isIndexedFirst = world.keeps('index before the hubs are read')
      if (isIndexedFirst) world.feedIndex.add(post)
      const isHubActive = world.hubRow !== null
      if (!isIndexedFirst) yield
      world.feedIndex.add(post)
      isTold = !isHubActive || (yield* this.network.call((hub) => hub.publish(post, except)))
    }
  }

  /** What went wrong: a post that nobody told, one that was told to a blocked reader, or frames out of order. */
  flaw(): string | null {
    const of = (reader: Reader) => this.clients.find((client) => client.reader === reader)!
    const isBlocked = (reader: Reader) => this.relations.get(reader)!.isBlocking
    const missed = this.due.find(
      ({ post, reader }) => !isBlocked(reader) && !of(reader).told.has(post) && !of(reader).read.has(post),
    )
    const leaked = this.forbidden.find(({ post, reader }) => of(reader).told.has(post))
    if (missed) return `${missed.reader} does not know post ${missed.post}`
    if (leaked) return `${leaked.reader} was told of post ${leaked.post} after a block`
    return this.clients.every(({ isInOrder }) => isInOrder) ? null : 'a number went back'
  }
}
