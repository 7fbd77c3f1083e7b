import type { Caller } from './caller.ts'

type Frame = { seq: number; channel?: string; event: string; data: Record<string, string> }

const QUERY_TIMEOUT_MS = 15_000

/** An open socket: what has arrived is kept, so that nothing is missed that came before it was waited for. */
export type Live = {
  /** The first frame that is as described, past or to come. */
  frame: (channel: string, event: string, data: Record<string, string>) => Promise<Frame>
  close: () => void
}

/** Opens the caller's socket with a ticket; resolves when the server has greeted it. */
export async function openSocket(caller: Caller): Promise<Live> {
  const { body } = await caller.call<{ ticket: string }>('POST', '/realtime/tickets', 201)
  const address = `${caller.url.replace(/^http/, 'ws')}/v1/realtime?ticket=${encodeURIComponent(body.ticket)}`
  const socket = new WebSocket(address)
  // Redeeming the ticket is a request of the account too.
  caller.admitted += 1
  const frames: Frame[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const look of waiting) look()
  }
  let lost = ''
  socket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)) as Frame)
    wake()
  })
  socket.addEventListener('close', ({ code, reason }) => {
    lost = `the socket was closed: ${code} ${reason}`
    wake()
  })

  function wait(what: string, isIt: (frame: Frame) => boolean): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => settle(() => reject(new Error(`${caller.name} waits for ${what}: ${why}`)))
      const timer = setTimeout(() => fail(`nothing came within ${QUERY_TIMEOUT_MS / 1_000} s`), QUERY_TIMEOUT_MS)
      const settle = (act: () => void) => {
        clearTimeout(timer)
        waiting.delete(look)
        act()
      }
      const look = () => {
        const found = frames.find(isIt)
        if (found) settle(() => resolve(found))
        else if (lost) fail(lost)
      }
      waiting.add(look)
      look()
    })
  }

  await wait('hello', ({ event }) => event === 'hello')
  return {
    frame: (channel, event, data) => {
      const isIt = (frame: Frame) =>
        frame.channel === channel &&
        frame.event === event &&
        Object.entries(data).every(([key, value]) => frame.data[key] === value)
      return wait(`${event} ${JSON.stringify(data)}`, isIt)
    },
    close: () => socket.close(),
  }
}
