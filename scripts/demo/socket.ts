import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from './caller.ts'

type Frame = { seq: number; channel?: string; event: string; data: Record<string, string> }
type Matcher = (frame: Frame) => boolean

const TIMEOUT_MS = 15_000

/** An open socket. It keeps received frames, so that a frame that arrived early is still found. */
export type Live = {
  /** Resolves with the first matching frame, received before or after the call. */
  frame: (channel: string, event: string, data: Record<string, string>) => Promise<Frame>
  close: () => void
  /** Resolves once the server has closed the socket. */
  closed: () => Promise<void>
}

/** Opens the caller's socket with a ticket; resolves when the hello frame of the server has arrived. */
export async function openSocket(caller: Caller): Promise<Live> {
  const { body } = await caller.call<{ ticket: string }>('POST', '/realtime/tickets', 201)
  const address = `${caller.url.replace(/^http/, 'ws')}/v1/realtime?ticket=${encodeURIComponent(body.ticket)}`
  const socket = new WebSocket(address)
  // Redeeming the ticket counts against the rate limit of the account.
  caller.admitted += 1
  const wait = makeWait(socket, caller.name)
  await wait('hello', ({ event }) => event === 'hello')
  return {
    frame: (channel, event, data) => {
      const matches: Matcher = (frame) =>
        frame.channel === channel &&
        frame.event === event &&
        Object.entries(data).every(([key, value]) => frame.data[key] === value)
      return wait(`${event} ${JSON.stringify(data)}`, matches)
    },
    close: () => socket.close(),
    closed: () => waitForClose(socket, caller.name),
  }
}

/** The `close` event would come seconds later, because it waits for the end of the TCP connection. */
async function waitForClose(socket: WebSocket, name: string): Promise<void> {
  for (const until = performance.now() + TIMEOUT_MS; socket.readyState === WebSocket.OPEN; await sleep(20)) {
    if (performance.now() > until) throw new Error(`The socket of ${name} is open after ${TIMEOUT_MS / 1_000} s`)
  }
}

/** Returns a function that waits for a frame of `socket`, and fails when none comes in time or the socket closes. */
function makeWait(socket: WebSocket, name: string) {
  const frames: Frame[] = []
  const changed = new EventTarget()
  let lost = ''
  socket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)) as Frame)
    changed.dispatchEvent(new Event('change'))
  })
  socket.addEventListener('close', ({ code, reason }) => {
    lost = `the socket was closed: ${code} ${reason}`
    changed.dispatchEvent(new Event('change'))
  })
  return async function wait(what: string, matches: Matcher): Promise<Frame> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    for (;;) {
      const found = frames.find(matches)
      if (found) return found
      const reason = lost || (timeout.aborted && `nothing came within ${TIMEOUT_MS / 1_000} s`)
      if (reason) throw new Error(`${name} waits for ${what}: ${reason}`)
      await Promise.race([once(changed, 'change'), once(timeout, 'abort')])
    }
  }
}

const once = (target: EventTarget, event: string): Promise<unknown> =>
  new Promise((resolve) => target.addEventListener(event, resolve, { once: true }))
