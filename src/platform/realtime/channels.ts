import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import type { Scope } from '../security/scopes.ts'
import { publishToHub } from './user-hub.client.ts'

type Frames = Record<string, z.ZodType>

/** A channel of the socket: its events, and which accounts may listen. */
export type Channel<F extends Frames = Frames> = {
  name: string
  /** The schema of each event's data. Its description becomes the summary of a message. */
  frames: F
  /** Required of the token that opens the socket. */
  scope: Scope
  mayJoin: (ctx: SystemCtx, accountId: Id) => Promise<boolean>
}

/** Declares a channel. Frames never contain content: clients read it through the API, which checks visibility again. */
export function defineChannel<F extends Frames>(name: string, channel: Omit<Channel<F>, 'name'>): Channel<F> {
  return { name, ...channel }
}

type Topic<F extends Frames> = { channel: Channel<F>; accountId: Id }

/** While the hub still stores a frame with this `key`, publishing another one does nothing. */
type Frame<F extends Frames, E extends keyof F & string> = { key: string; event: E; data: z.input<F[E]> }

/** Sends a frame to the account's sockets on the channel. Throws if the account's hub does not respond. */
export async function publish<F extends Frames, E extends keyof F & string>(
  ctx: SystemCtx,
  { channel, accountId }: Topic<F>,
  { key, event, data }: Frame<F, E>,
): Promise<void> {
  await publishToHub(ctx, accountId, { channel: channel.name, key, event, data: channel.frames[event]?.parse(data) })
}
