import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../context.ts'
import { type Channel, channelNamed, isShared } from './channels.ts'
import { Join, type Joined, Leave, type Left, type Refusal } from './frames.ts'
import type { HubFrames } from './hub-frames.ts'
import { type Attached, type HubListeners, isHeld, type Listener } from './hub-listeners.ts'

const MAX_MESSAGE_LENGTH = 4_096
const MAX_MESSAGES_PER_MINUTE = 60
/** Of one socket: they must fit its attachment. */
export const MAX_CHANNELS = 50

const Request = Join.or(Leave)

type Close = { code: 4008 | 1003 | 1009; reason: string }
type Frame = z.infer<typeof Joined> | z.infer<typeof Left> | z.infer<typeof Refusal>
export type Answer = { close: Close } | { frame: Frame }

type Received = {
  socket: WebSocket
  listener: Listener
  attached: Attached
  frames: HubFrames
  listeners: HubListeners
  channels: readonly Channel[]
}

/** The answer to a message of a client, which joins or leaves a channel. */
export async function answerTo(ctx: SystemCtx, message: string | ArrayBuffer, received: Received): Promise<Answer> {
  const { socket, attached } = received
  const recent = [...attached.received.filter((at) => at > Date.now() - 60_000), Date.now()]
  attached.received = recent.slice(-MAX_MESSAGES_PER_MINUTE)
  socket.serializeAttachment(attached)
  if (recent.length > MAX_MESSAGES_PER_MINUTE) return { close: { code: 4008, reason: 'too many messages' } }
  if (typeof message !== 'string') return { close: { code: 1003, reason: 'only text is supported' } }
  if (message.length > MAX_MESSAGE_LENGTH) return { close: { code: 1009, reason: 'message too large' } }
  const request = Request.safeParse(parsed(message)).data
  if (!request) return refusal('bad_request', 'Send "ping", {"join":"…"} or {"leave":"…"} with the name of a channel')
  if ('leave' in request) return leave(request.leave, received)
  return join(ctx, request.join, received)
}

async function join(ctx: SystemCtx, name: string, received: Received): Promise<Answer> {
  const { listener, attached, channels, frames } = received
  const found = channelNamed(channels, name)
  if (!found) return refusal('not_found', 'There is no channel of this name')
  const { scope } = found.channel
  if (!attached.scopes.includes(scope)) return refusal('insufficient_scope', `This channel needs the scope ${scope}`)
  const mayJoin = await found.channel.mayJoin(ctx, attached.accountId, found.key)
  if (!mayJoin) return refusal('forbidden', 'You may not join this channel')
  if (!attached.channels.includes(name)) {
    if (attached.channels.length >= MAX_CHANNELS) return refusal('conflict', `A socket joins ${MAX_CHANNELS} channels`)
    if (isShared(found.channel) && !listener.topics.has(name)) listener.topics.set(name, frames.next())
    change(received, [...attached.channels, name])
  }
  return { frame: { event: 'joined', seq: frames.next(), channel: name } }
}

function leave(name: string, received: Received): Answer {
  const { listener, attached, frames } = received
  if (attached.channels.includes(name)) {
    attached.channels = attached.channels.filter((channel) => channel !== name)
    if (!isHeld(listener, name)) listener.topics.delete(name)
    change(received, attached.channels)
  }
  return { frame: { event: 'left', seq: frames.next(), channel: name } }
}

function change({ socket, attached, listener, listeners }: Received, channels: string[]): void {
  attached.channels = channels
  socket.serializeAttachment(attached)
  if (listeners.holds(listener)) listeners.store(listener)
}

type RefusalCode = 'bad_request' | 'not_found' | 'forbidden' | 'insufficient_scope' | 'conflict'
const refusal = (code: RefusalCode, detail: string): Answer => ({
  frame: { event: 'error', code, detail },
})

function parsed(message: string): unknown {
  try {
    return JSON.parse(message)
  } catch {
    return null
  }
}
