import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import type { Scope } from '../security/scopes.ts'
import { publishToHubs } from './hub.client.ts'
import type { HubFrame } from './hub-frames.ts'

type Frames = Record<string, z.ZodType>

/** A channel of the socket: its events, and which accounts may listen. */
export type Channel<F extends Frames = Frames> = {
  /** One with a `{key}`, such as `note:{id}`, is a channel for each key, which clients join and leave by name. */
  name: string
  /** The schema of each event's data. Its description becomes the summary of a message. */
  frames: F
  /** The hub keeps no frames of it for `since`: its events have a log of their own. */
  isTransient?: boolean
  /** Required of the token that opens the socket. */
  scope: Scope
  /** `key` is empty for a channel without one. */
  mayJoin: (ctx: SystemCtx, accountId: Id, key: string) => Promise<boolean>
  /** Whose posts the account hears about on this channel. Must read the primary. */
  authorsOf?: (ctx: SystemCtx, accountId: Id) => Promise<readonly Id[]>
}

/** Declares a channel. Frames never contain content: clients read it through the API, which checks visibility again. */
export function defineChannel<F extends Frames>(name: string, channel: Omit<Channel<F>, 'name'>): Channel<F> {
  return { name, ...channel }
}

/** What the channels require. Of a login, sockets and tickets keep these scopes only. */
export const scopesOf = (channels: readonly Channel[]): Scope[] => [...new Set(channels.map(({ scope }) => scope))]

/** Whether those who join the channel share it. The frames of other channels go to accounts. */
export const isShared = ({ name }: Pick<Channel, 'name'>) => name.includes('{')

/** The channel with this name, and the key in the name. */
export function channelNamed(channels: readonly Channel[], wanted: string): { channel: Channel; key: string } | null {
  for (const channel of channels) {
    const [prefix = ''] = channel.name.split('{')
    const key = wanted.slice(prefix.length)
    const matches = isShared(channel) ? wanted.startsWith(prefix) && isKey.test(key) : wanted === channel.name
    if (matches) return { channel, key }
  }
  return null
}

/** The names of shared channels among these names. */
export function sharedAmong(channels: readonly Channel[], names: readonly string[]): string[] {
  return names.filter((name) => {
    const found = channelNamed(channels, name)
    return found !== null && isShared(found.channel)
  })
}

/** Those of these channels whose frames the hub does not keep. */
export const unkeptAmong = (channels: readonly Channel[], names: readonly string[]): string[] =>
  names.filter((name) => channelNamed(channels, name)?.channel.isTransient)

const isKey = /^[^\s,:{}]{1,64}$/

/** Who hears a frame: an account, those who follow an author, or with the name of a shared channel, those who joined it. */
export type Topic = `account:${Id}` | `author:${Id}` | { name: string }

type FrameOptions = Pick<HubFrame, 'key' | 'except'>
type FrameInput<F extends Frames, E extends keyof F & string> = FrameOptions & { event: E; data: z.input<F[E]> }

/** A frame for `publish`. Throws if its data do not fit the schema of the event. */
export function frameOf<F extends Frames, E extends keyof F & string>(
  channel: Channel<F>,
  topic: Topic,
  { data, ...frame }: FrameInput<F, E>,
): HubFrame {
  const place =
    typeof topic === 'string' ? { topic, channel: channel.name } : { topic: topic.name, channel: topic.name }
  return { ...frame, ...place, isTransient: channel.isTransient, data: channel.frames[frame.event]?.parse(data) }
}

/** Sends frames to the listeners at these hubs: those of `activeHubs`, read with or after what the frames report. */
export async function publish(ctx: SystemCtx, hubs: readonly { name: string }[], frames: readonly HubFrame[]) {
  if (frames.length === 0) return
  const names = hubs.map(({ name }) => name)
  await publishToHubs(ctx, names, frames)
}
