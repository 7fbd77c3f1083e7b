import type { Sleep, Socket } from './options.ts'

const [CONNECTING, OPEN] = [0, 1]
const TICK_MS = 250
const OPEN_WITHIN_MS = 10_000
const PING_AFTER_MS = 30_000
const PONG_WITHIN_MS = 10_000
const CLOSE_WITHIN_MS = 3_000
/** The close code of a socket whose login has ended, or whose access token was revoked. */
const LOGIN_ENDED = 4001

/** One socket, from its opening to its end. */
export class Connection {
  readonly #socket: Socket
  readonly #sleep: Sleep
  readonly #isWanted: () => boolean
  readonly #received: string[] = []
  #isOver = false
  #silentMs = 0
  #closingMs = 0
  /** How long the socket has been watched. */
  lifeMs = 0
  #wake = () => {}
  /** Whether the server has closed the socket because the login has ended, or the access token was revoked. */
  isRevoked = false

  /** Closes the socket soon after `isWanted` is false. */
  constructor(socket: Socket, sleep: Sleep, isWanted: () => boolean) {
    this.#socket = socket
    this.#sleep = sleep
    this.#isWanted = isWanted
    socket.addEventListener('message', ({ data }) => {
      this.#silentMs = 0
      if (data !== 'pong') this.#received.push(String(data))
      this.#wake()
    })
    socket.addEventListener('close', ({ code }) => this.#finish(code === LOGIN_ENDED))
    // Without a listener, an error of a socket of Node ends the process.
    socket.addEventListener('error', () => this.#finish())
  }

  /** The messages until the socket ends, `signal` is aborted or the network is lost. Then the socket is closed. */
  async *messages(signal?: AbortSignal, network?: EventTarget): AsyncGenerator<string, void> {
    const finish = () => this.#finish()
    if (signal?.aborted) finish()
    signal?.addEventListener('abort', finish)
    network?.addEventListener('offline', finish)
    void this.#watch()
    try {
      while (!this.#isOver || this.#received.length > 0) {
        const message = this.#received.shift()
        if (message === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
        else yield message
      }
    } finally {
      signal?.removeEventListener('abort', finish)
      network?.removeEventListener('offline', finish)
      this.#finish()
      this.#socket.close()
    }
  }

  #finish(isRevoked = false): void {
    if (!this.#isOver) this.isRevoked = isRevoked
    this.#isOver = true
    this.#wake()
  }

  /** Sends pings, and notices what no event reports in time: a dead connection, and in browsers that the server closes. */
  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await this.#sleep(TICK_MS)
      this.#silentMs += TICK_MS
      this.lifeMs += TICK_MS
      const { readyState } = this.#socket
      if (readyState > OPEN) this.#closingMs += TICK_MS
      if (!this.#isWanted() || this.#closingMs >= CLOSE_WITHIN_MS) this.#finish()
      else if (this.#silentMs >= (readyState === CONNECTING ? OPEN_WITHIN_MS : PING_AFTER_MS + PONG_WITHIN_MS))
        this.#finish()
      else if (readyState === OPEN && this.#silentMs === PING_AFTER_MS) this.#socket.send('ping')
    }
  }
}
