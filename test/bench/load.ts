import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

/**
 * The n-th request uses the n-th path and the n-th token. Each list starts over when it ends. If the lengths of the two
 * lists have no common factor, every pair of path and token occurs once before one is repeated.
 */
export type Traffic = { method: string; paths: string[]; tokens: string[]; body?: string | ((n: number) => string) }
/** The load ends after `seconds` or `requests`. `from` is the number of its first request. */
export type Load = { port: number; connections: number; from: number; seconds?: number; requests?: number }
export type Outcome = { requests: number; failures: number; rps: number; p50: number; p95: number }

/** Sends `traffic` over persistent connections, one request at a time on each. `p50` and `p95` are in milliseconds. */
export async function drive(traffic: Traffic, load: Load): Promise<Outcome> {
  const { port, connections, from, seconds = Infinity, requests = Infinity } = load
  let n = from
  const started = performance.now()
  const times: number[] = []
  let failures = 0
  const user = async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1')
    socket.on('error', () => {}) // a 'close' event follows and rejects the request
    while (n < from + requests && performance.now() < started + seconds * 1_000) {
      const asked = performance.now()
      const status = await ask(socket, requestText(traffic, n++))
      times.push(performance.now() - asked)
      if (status < 200 || status > 299) failures += 1
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, user))
  const rps = (times.length / (performance.now() - started)) * 1_000
  times.sort((a, b) => a - b)
  const percentile = (part: number) => times[Math.floor(times.length * part)]!
  return { requests: times.length, failures, rps, p50: percentile(0.5), p95: percentile(0.95) }
}

function requestText({ method, paths, tokens, body: given = '' }: Traffic, n: number): string {
  const body = typeof given === 'string' ? given : given(n)
  const token = tokens.length > 0 ? `authorization: Bearer ${tokens[n % tokens.length]}\r\n` : ''
  const content = body && `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  return `${method} ${paths[n % paths.length]} HTTP/1.1\r\nhost: bench\r\n${token}${content}\r\n${body}`
}

/** Sends one request. Resolves with the status once the response is complete. */
function ask(socket: Socket, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const read = (chunk: string) => {
      answer += chunk
      if (!isComplete(answer)) return
      socket.off('data', read).off('close', closed)
      resolve(Number(answer.slice(9, 12)))
    }
    const closed = () => reject(new Error('The server closed the connection'))
    socket.on('data', read).on('close', closed)
    socket.write(request)
  })
}

function isComplete(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = answer.slice(0, end + 2)
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) return answer.endsWith('\r\n0\r\n\r\n')
  return answer.length >= end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
}
