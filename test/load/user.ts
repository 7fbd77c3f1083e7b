import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

export type Request = { method: string; path: string; body?: string; key?: string }
export type Answer = { status: number; retryAfter: string | null; body: string }
export type Sent = { request: Request; answer: Answer | null; at: number; ms: number }

/** A person with one persistent connection, who thinks between requests for a random time of `thinkMs` on average. */
export async function user(
  port: number,
  { token, thinkMs, next }: { token: string; thinkMs: number; next: () => Request },
  { signal, report }: { signal: AbortSignal; report: (sent: Sent) => void },
): Promise<void> {
  let socket: Socket | null = null
  for (;;) {
    await sleep(-Math.log(1 - Math.random()) * thinkMs, null, { signal }).catch(() => null)
    if (signal.aborted) break
    socket = socket && !socket.destroyed ? socket : connect({ port, host: '127.0.0.1', noDelay: true })
    const [request, asked] = [next(), performance.now()]
    const answer = await ask(socket.setEncoding('utf8'), textOf(request, token))
    report({ request, answer, at: performance.now(), ms: performance.now() - asked })
  }
  socket?.destroy()
}

function textOf({ method, path, body = '', key }: Request, token: string): string {
  const content = body && `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  const idempotency = key ? `idempotency-key: ${key}\r\n` : ''
  return `${method} ${path} HTTP/1.1\r\nhost: load\r\nauthorization: Bearer ${token}\r\n${idempotency}${content}\r\n${body}`
}

/** Null if the server closes the connection, or does not respond within a minute. */
function ask(socket: Socket, request: string): Promise<Answer | null> {
  return new Promise((resolve) => {
    let text = ''
    const finish = (answer: Answer | null) => {
      clearTimeout(late)
      socket.off('data', read).off('close', closed).off('error', closed)
      resolve(answer)
    }
    const closed = () => finish(null)
    const late = setTimeout(() => {
      socket.destroy()
      closed()
    }, 60_000)
    const read = (chunk: string) => {
      text += chunk
      const answer = parsed(text)
      if (answer) finish(answer)
    }
    socket.on('data', read).on('close', closed).on('error', closed)
    socket.write(request)
  })
}

function parsed(text: string): Answer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [head, body] = [text.slice(0, end + 2), text.slice(end + 4)]
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  const isChunked = /\r\ntransfer-encoding: chunked\r\n/i.test(head)
  const isComplete = isChunked ? body.endsWith('0\r\n\r\n') : Buffer.byteLength(body) >= Number(length ?? 0)
  if (!isComplete) return null
  return { status: Number(head.slice(9, 12)), retryAfter: /\r\nretry-after: (\S+)/i.exec(head)?.[1] ?? null, body }
}
