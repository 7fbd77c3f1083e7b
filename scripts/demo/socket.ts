import { type Frame, isCode, type LiveEvent } from '../../src/client/client.ts'
import type { Caller } from './caller.ts'

type Matcher = (event: LiveEvent) => boolean
type DataOf<Event> = Partial<Extract<Frame, { event: Event }>['data']>

const TIMEOUT_MS = 15_000

/** An open socket. It keeps received frames, so that a frame that arrived early is still found. */
export type Live = {
  /** Resolves once a frame with these data was received, before or after the call. */
  frame: <Event extends Frame['event']>(event: Event, data: DataOf<Event>) => Promise<void>
  /** Resolves once the socket has ended because the login has. */
  closed: () => Promise<void>
}

const opened: AbortController[] = []

/** A failed demo must not wait for its sockets. */
export function closeSockets(): void {
  for (const stop of opened) stop.abort()
}

/** Listens as the caller; resolves when the socket is open. */
export async function openSocket({ client, name }: Caller): Promise<Live> {
  const stop = new AbortController()
  opened.push(stop)
  const events: LiveEvent[] = []
  const changed = new EventTarget()
  const change = () => changed.dispatchEvent(new Event('change'))
  let lost: unknown
  const listen = async () => {
    for await (const event of client.listen({ signal: stop.signal })) {
      events.push(event)
      change()
    }
  }
  void listen().catch((error: unknown) => {
    lost = error
    change()
  })
  async function wait(what: string, holds: () => boolean): Promise<void> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    while (!holds()) {
      if (lost !== undefined) throw new Error(`${name} waits for ${what}, but the socket has ended`, { cause: lost })
      if (timeout.aborted) throw new Error(`${name} waits for ${what}: nothing came within ${TIMEOUT_MS / 1_000} s`)
      await Promise.race([once(changed, 'change'), once(timeout, 'abort')])
    }
  }
  const arrival = (what: string, matches: Matcher) => wait(what, () => events.some(matches))
  await arrival('the connection', ({ event }) => event === 'connected')
  return {
    frame: (event, data) =>
      arrival(`${event} ${JSON.stringify(data)}`, (frame) => frame.event === event && includes(frame, data)),
    closed: () => wait('the end of the login', () => isCode(lost, 'session_ended')),
  }
}

const includes = (event: LiveEvent, data: object): boolean =>
  'data' in event && Object.entries(data).every(([key, value]) => Reflect.get(event.data, key) === value)

const once = (target: EventTarget, event: string): Promise<unknown> =>
  new Promise((resolve) => target.addEventListener(event, resolve, { once: true }))
