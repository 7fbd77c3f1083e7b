import type { Intent } from './intents.ts'
import type { Model } from './model.ts'

export const channels = ['home', 'notifications'] as const
export type Channel = (typeof channels)[number]
export const socketKinds = ['join', 'part', 'drop', 'resume'] as const
export type SocketStep =
  | { do: 'join' | 'part'; who: string; channel: Channel }
  | { do: 'drop'; who: string }
  | { do: 'resume'; who: string; channels: Channel[] }
/** A frame as the model expects it. Those of posts have an author. */
export type Told = { channel: Channel; text: string; author?: string }

export type Listening = ReturnType<typeof makeListening>

/** A model of the sockets: who has one, what it has joined, and what somebody missed since theirs broke. */
export function makeListening(people: readonly string[]) {
  type State = { joined: Set<Channel>; missed: Told[] | null }
  const sockets = new Map<string, State>()
  const connect = (name: string) => void sockets.set(name, { joined: new Set(channels), missed: null })
  people.forEach(connect)

  function apply(step: SocketStep): void {
    const state = sockets.get(step.who)!
    if (step.do === 'join') state.joined.add(step.channel)
    else if (step.do === 'part') state.joined.delete(step.channel)
    else state.missed = step.do === 'drop' ? [] : null
  }

  /** The frames that the account's socket gets. An account without a socket gets them when it resumes. */
  function tell(name: string, frames: Told[]): string[] {
    const { joined, missed } = sockets.get(name)!
    const heard = frames.filter(({ channel }) => joined.has(channel))
    missed?.push(...heard)
    return missed ? [] : heard.map(({ text }) => text).sort()
  }

  /** What a socket gets first that resumes: the missed frames, without the posts of those whom the account has unfollowed. */
  function missedBy(name: string, { isFollower }: Model): string[] {
    const missed = sockets.get(name)?.missed ?? []
    return missed.flatMap(({ author, text }) => (author && !isFollower(name, author) ? [] : text)).sort()
  }

  return {
    apply,
    tell,
    missedBy,
    connect,
    /** A hidden account has no socket, and cannot resume. */
    disconnect: (name: string) => void sockets.delete(name),
    isOpen: (name: string) => sockets.get(name)?.missed === null,
    isBroken: (name: string) => Boolean(sockets.get(name)?.missed),
    joinedBy: (name: string) => [...sockets.get(name)!.joined],
  }
}

export const isSocketStep = (step: { do: string }): step is SocketStep => socketKinds.some((kind) => kind === step.do)

/** Turns an intent into a step of a socket. Null if the account has none. */
export function socketStepOf(
  { do: what, who, pick }: Intent,
  people: readonly string[],
  listening: Listening,
): SocketStep | null {
  const channel = channels[pick % channels.length]!
  if (what === 'join' || what === 'part') return listening.isOpen(who) ? { do: what, who, channel } : null
  if (what === 'drop') return listening.isOpen(who) ? { do: what, who } : null
  const broken = people.filter(listening.isBroken)
  const name = broken[pick % broken.length]
  return name ? { do: 'resume', who: name, channels: listening.joinedBy(name) } : null
}
