import { configOf } from '../config.ts'
import { migrateObject } from '../objects/migrate-object.ts'
import { frameSchema, HubFrames } from './hub-frames.ts'
import { type Attached, HubListeners, includes, type Listener, listenerSchema, unheldSchema } from './hub-listeners.ts'
import { loginSchema } from './hub-logins.ts'
import { HubRegistration } from './hub-registration.ts'

export type HubState = { frames: HubFrames; listeners: HubListeners; registration: HubRegistration }

/** Reads what the object has stored. */
export function loadHub(ctx: DurableObjectState, env: Env): HubState {
  const { sql } = ctx.storage
  migrateObject(ctx.storage, [frameSchema + listenerSchema + loginSchema, unheldSchema])
  const frames = new HubFrames(sql, configOf(env).FRAME_HOURS)
  const listeners = new HubListeners(sql)
  for (const { from, topics } of listeners.all()) frames.last = Math.max(frames.last, from, ...topics.values())
  for (const socket of ctx.getWebSockets()) {
    const attached: Attached = socket.deserializeAttachment()
    if (socket.readyState === WebSocket.OPEN) listeners.get(attached.accountId)?.sockets.set(socket, attached)
  }
  if (!ctx.id.name) throw new Error('a hub has no name')
  const hub = { name: ctx.id.name, epoch: frames.next() }
  return { frames, listeners, registration: new HubRegistration(env, hub, !listeners.isEmpty) }
}

/** The frames after `since` on these channels; null if the hub has not kept all of them for the account. */
export function missedBy(
  frames: HubFrames,
  listener: Listener,
  channels: readonly string[],
  since: number,
): string[] | null {
  const { accountId, authors, topics } = listener
  const joined = channels.map((name) => topics.get(name) ?? 0)
  if (authors === null || since < Math.max(listener.from, ...joined)) return null
  return frames.after(since, accountId, ({ topic, channel }) => {
    if (!channels.includes(channel)) return false
    const [kind, id = ''] = topic.split(':')
    if (kind === 'author') return includes(authors, Number(id))
    return kind === 'account' ? id === accountId : true
  })
}

export function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason)
  } catch {
    // Already closed.
  }
}
