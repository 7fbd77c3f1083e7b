import type { Calls } from './calls.ts'
import { Connection } from './connection.ts'
import { ApiError, isRefusal } from './errors.ts'
import type { Channel, Frame, Hello, Refusal } from './frames.ts'
import type { Socket } from './options.ts'
import { backoff, inTime } from './wait.ts'
import type { RealtimeTicket } from './wire.ts'

const FIRST_RETRY_MS = 2_000
/** A connection that held for this long was no failure. */
const STABLE_MS = 30_000

export type ListenOptions = {
  /** By default, all that the account may join. */
  channels?: Channel[]
  /** The `seq` of the last event that you have handled: what came after it follows. */
  since?: number
  signal?: AbortSignal
  /** Where `online` and `offline` are reported: `window` in a browser. */
  network?: EventTarget
}

/**
 * A frame, or a change of the connection. After `refetch`, read again what you show: frames were missed, or this is the
 * first connection. `disconnected` needs no action: the client connects again, and continues where it stopped.
 */
export type LiveEvent =
  | Frame
  | { event: 'connected'; seq: number }
  | { event: 'refetch'; seq: number }
  | { event: 'disconnected' }

/** Listens until the loop is left. Throws once the login has ended, or the reason of `signal` when that is aborted. */
export async function* listen(calls: Calls, options: ListenOptions): AsyncGenerator<LiveEvent, void> {
  const { signal, network } = options
  const { sleep, random } = calls.waits
  const { session } = calls
  const { epoch } = session
  let { since } = options
  for (let failures = 0; ; failures++) {
    let pause = 0
    let isConnected = false
    try {
      session.check(epoch)
      const connection = new Connection(await openSocket(calls, options, since), sleep, () => epoch === session.epoch)
      for await (const message of connection.messages(signal, network)) {
        session.check(epoch)
        const frame: Frame | Hello | Refusal = JSON.parse(message)
        if (!('seq' in frame)) continue
        since = frame.seq
        if (frame.event === 'hello') {
          isConnected = true
          yield { event: 'connected', seq: since }
          if (!frame.resumed) yield { event: 'refetch', seq: since }
        } else yield frame
      }
      signal?.throwIfAborted()
      if (isConnected) yield { event: 'disconnected' }
      session.check(epoch)
      if (connection.lifeMs >= STABLE_MS) failures = 0
      if (connection.isRevoked && session.isOwn) await inTime(session.refresh(), signal)
    } catch (error) {
      if (!(error instanceof ApiError) || isRefusal(error)) throw error
      pause = error.retryAfter ?? 0
    }
    await sleep(pause * 1_000, signal)
    await untilOnline(sleep(backoff(random, FIRST_RETRY_MS, failures), signal), network)
  }
}

async function openSocket(calls: Calls, { channels, signal }: ListenOptions, since?: number): Promise<Socket> {
  const { origin, WebSocket = globalThis.WebSocket } = calls.options
  if (!WebSocket) throw new TypeError('This runtime has no WebSocket: pass one to createClient')
  const { ticket } = await calls.call<RealtimeTicket>('createRealtimeTicket', {}, { signal })
  const query = new URLSearchParams({ ticket })
  if (channels) query.set('channels', channels.join())
  if (since !== undefined) query.set('since', String(since))
  return new WebSocket(`${origin.replace(/^http/, 'ws')}/v1/realtime?${query}`)
}

/** Waits for the given time or for the network, whichever comes first. */
async function untilOnline(wait: Promise<void>, network: EventTarget | undefined): Promise<void> {
  const over = new AbortController()
  const online = new Promise<unknown>((resolve) => {
    network?.addEventListener('online', resolve, { signal: over.signal })
  })
  await Promise.race([wait, online]).finally(() => over.abort())
}
