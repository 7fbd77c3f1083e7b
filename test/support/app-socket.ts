import { exports } from 'cloudflare:workers'
import type { Socket } from '../../src/client/options.ts'
import { randomAddress } from './client.ts'

/** Sockets to the Worker. workerd opens them with `fetch`, so the product's client gets this class as `WebSocket`. */
export function appSockets() {
  const sockets: AppSocket[] = []
  class Recorded extends AppSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  return { WebSocket: Recorded, sockets }
}

type Listener = (event: never) => void

class AppSocket implements Socket {
  readyState = 0
  readonly url: URL
  readonly sent: string[] = []
  pongs = 0
  #socket: WebSocket | null = null
  #isSilent = false
  readonly #listeners = { message: [] as Listener[], close: [] as Listener[], error: [] as Listener[] }

  constructor(url: string) {
    this.url = new URL(url)
    void this.#open()
  }

  async #open(): Promise<void> {
    const headers = { upgrade: 'websocket', 'cf-connecting-ip': randomAddress() }
    const { webSocket } = await exports.default.fetch(String(this.url).replace(/^ws/, 'http'), { headers })
    if (!webSocket) return this.#end(1006)
    this.#socket = webSocket
    this.readyState = 1
    webSocket.accept()
    webSocket.addEventListener('close', ({ code }) => this.#end(code))
    webSocket.addEventListener('message', ({ data }) => {
      if (this.#isSilent) return
      if (data === 'pong') this.pongs += 1
      this.#emit('message', { data })
    })
  }

  addEventListener(type: 'message' | 'close' | 'error', listener: Listener): void {
    this.#listeners[type].push(listener)
  }

  #emit(type: 'message' | 'close' | 'error', event: object): void {
    for (const listener of this.#listeners[type]) listener(event as never)
  }

  send(text: string): void {
    this.sent.push(text)
    this.#socket?.send(text)
  }

  close(): void {
    this.#end(1000)
  }

  /** The connection breaks: nothing arrives any more, and the client learns of it at once. */
  drop(): void {
    this.silence()
    this.#end(1006)
  }

  /** Like a socket of Node, which throws its error if nobody listens to it. */
  fail(): void {
    if (this.#listeners.error.length === 0) throw new Error('connect ECONNREFUSED')
    this.#emit('error', {})
  }

  /** Nothing arrives any more, and nobody notices. */
  silence(): void {
    this.#isSilent = true
  }

  #end(code: number): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#socket?.close(1000, '')
    this.#emit('close', { code })
  }
}

/** Time that passes only by `advance`. */
export function manualTime() {
  let now = 0
  const waiting = new Set<{ at: number; wake: () => void }>()
  return {
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (ms === 0) return resolve()
        const entry = { at: now + ms, wake: resolve }
        waiting.add(entry)
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
    /** The waits that have not ended, without the ticks of open sockets. */
    pending: () => [...waiting].map(({ at }) => at - now).filter((ms) => ms !== 250),
    advance: async (ms: number) => {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, ...[...waiting].map(({ at }) => at).filter((at) => at > now))
        for (const entry of waiting) {
          if (entry.at > now) continue
          waiting.delete(entry)
          entry.wake()
        }
        // Lets those that woke up run, and wait again.
        await new Promise((resolve) => setTimeout(resolve, 0))
      }
    },
  }
}
