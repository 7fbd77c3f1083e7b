type Role = 'owner' | 'admin' | 'member'
type Place = { state: 'active' | 'request' | 'left' | 'removed'; role: Role; from: number; read: number }
const rank = { member: 0, admin: 1, owner: 2 }

/** What a group must show, by the rules alone. Person 0 founds it with all others, who follow each other. */
export class GroupModel {
  readonly log: { by: number | null; text: string | null }[] = []
  readonly places: Place[]
  readonly blocks = new Set<string>()
  locked = false
  shows: number | null = null

  constructor(size: number) {
    this.places = Array.from({ length: size }, (_, i) => ({ ...newPlace, role: i === 0 ? 'owner' : 'member' }))
    this.tell(0, 'created')
  }

  act(kind: string, by: number, to: number, n: number): 'done' | 'forbidden' | 'not_found' {
    const [me, other] = [this.places[by]!, this.places[to]!]
    const isMuted = this.locked && me.role === 'member'
    if (kind === 'block') return this.blocks.add([by, to].toSorted().join()) && 'done'
    if (kind === 'accept' && me.state === 'request') return this.join(me, by)
    if (kind === 'read' && me.state === 'request') return 'done'
    const entry = this.log[n - 1]
    if (kind === 'delete' && entry?.by === by) entry.text = null
    if ((kind === 'delete' && entry?.by === by) || (kind === 'leave' && me.state === 'left')) return 'done'
    if (me.state !== 'active') return 'not_found'
    if (kind === 'accept') return 'done'
    if (kind === 'read') me.read = Math.max(me.read, Math.min(n, this.log.length))
    else if (kind === 'send' && isMuted) return 'forbidden'
    else if (kind === 'send') me.read = this.log.push({ by, text: `text ${n}` })
    else if (kind === 'edit' || kind === 'delete') {
      if (!entry || n <= me.from) return 'not_found'
      if (entry.by !== by) return 'forbidden'
      if (entry.text === null) return 'not_found'
      if (isMuted) return 'forbidden'
      entry.text = 'edited'
    } else if (kind === 'leave') this.leave(me, by)
    else if (kind === 'add') {
      if (this.isBlocked(by, to)) return 'not_found'
      if (other.state === 'left') other.state = 'request'
      else if (other.state === 'removed') this.join(other, by)
    } else if (kind === 'remove') {
      if (rank[me.role] <= rank[other.role]) return 'forbidden'
      const [wasActive, isHere] = [other.state === 'active', ['active', 'request'].includes(other.state)]
      if (isHere) Object.assign(other, { state: 'removed', role: 'member' })
      if (wasActive) this.tell(by, 'removed')
    } else if (kind === 'hand over') {
      if (me.role !== 'owner') return 'forbidden'
      if (other.state !== 'active') return 'not_found'
      ;[me.role, other.role] = ['admin', 'owner']
      this.tell(by, 'handed_over')
    } else if (me.role === 'member') return 'forbidden'
    else if (kind === 'show') this.show(by)
    else if (this.locked !== n > 4) this.tell(by, n > 4 ? 'locked' : 'unlocked')
    if (kind === 'lock') this.locked = n > 4
    return 'done'
  }

  /** What the person reads, oldest first; null if it may not. */
  textsFor(by: number): (string | null)[] | null {
    const hides = (author: number | null) => author !== null && author !== by && this.isBlocked(by, author)
    const { state, from } = this.places[by]!
    return state === 'active' ? this.log.slice(from).map((entry) => (hides(entry.by) ? null : entry.text)) : null
  }

  isBlocked = (one: number, other: number) => this.blocks.has([one, other].toSorted().join())

  private tell(by: number, event: string): void {
    const read = this.log.push({ by: null, text: event })
    if (this.places[by]!.read === read - 1) this.places[by]!.read = read
  }

  private join(place: Place, by: number): 'done' {
    const last = this.log.length
    Object.assign(place, { state: 'active', role: 'member', from: this.shows ?? last, read: last })
    this.tell(by, 'joined')
    return 'done'
  }

  private show(by: number): void {
    const before = this.shows
    this.shows ??= this.log.length
    if (before === null) this.tell(by, 'history_shown')
  }

  private leave(me: Place, by: number): void {
    const wasOwner = me.role === 'owner'
    Object.assign(me, { state: 'left', role: 'member' })
    this.tell(by, 'left')
    const here = this.places.filter(({ state }) => state === 'active')
    const heir = here.find(({ role }) => role === 'admin') ?? here[0]
    if (wasOwner && heir) heir.role = 'owner'
    if (wasOwner && heir) this.log.push({ by: null, text: 'handed_over' })
  }
}

const newPlace = { state: 'active', role: 'member', from: 0, read: 0 } as const
