import type { Id } from '../../src/platform/data/ids.ts'
import type { Opening } from '../../src/platform/realtime/hub.client.ts'
import { hubOf } from './hubs.ts'

/** A frame as a client receives it. */
export type Frame = { seq: number; channel: string; event: string; data: unknown }

/** An open socket of an account. */
export type Socket = {
  hello: Promise<{ seq: number; resumed: boolean }>
  /** The frames received since the last call. */
  takeFrames: () => Promise<Frame[]>
  /** Sends a message. Resolves with the frame that answers it. */
  ask: (message: object) => Promise<{ event: string; seq: number }>
  isClosed: () => boolean
  close: () => void
}

const answers = ['joined', 'left', 'error']

/** Its frames must be as the AsyncAPI document describes them: otherwise `takeFrames` throws. */
export async function openSocket(
  accountId: Id,
  since: number | null = null,
  channels = ['home', 'notifications'],
): Promise<Socket> {
  const { requireDescribed } = await import('./frames.ts')
  const scopes = ['posts:read', 'notifications:read', 'messages:read']
  const opening: Opening = { accountId, sessionId: 'test', issuedAt: Date.now(), channels, scopes, since }
  const headers = { upgrade: 'websocket', opening: JSON.stringify(opening) }
  const { webSocket } = await hubOf(accountId).fetch('https://hub/', { headers })
  const socket = webSocket!
  const frames: Frame[] = []
  const hello = Promise.withResolvers<{ seq: number; resumed: boolean }>()
  let closed = false
  let answered = () => {}
  let reply = (_frame: { event: string; seq: number }) => {}
  socket.accept()
  socket.addEventListener('close', () => {
    closed = true
    answered()
  })
  socket.addEventListener('message', ({ data }) => {
    if (data === 'pong') answered()
    else {
      const frame = JSON.parse(String(data))
      frames.push(frame)
      if (frame.event === 'hello') hello.resolve(frame)
      if (answers.includes(frame.event)) reply(frame)
    }
  })
  return {
    hello: hello.promise,
    takeFrames: async () => {
      // When the pong arrives, all frames that were sent before it have arrived.
      const pong = Promise.withResolvers<void>()
      answered = pong.resolve
      if (!closed) {
        socket.send('ping')
        await pong.promise
      }
      frames.forEach(requireDescribed)
      return frames.splice(0).filter(({ event }) => event !== 'hello' && !answers.includes(event))
    },
    ask: (message) => {
      const asked = Promise.withResolvers<{ event: string; seq: number }>()
      reply = asked.resolve
      socket.send(JSON.stringify(message))
      return asked.promise
    },
    isClosed: () => closed,
    close: () => socket.close(),
  }
}
