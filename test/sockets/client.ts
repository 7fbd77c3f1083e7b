import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

type Handlers = { onText: (text: string) => void; onClose?: () => void }
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10]
const CLOSING_MS = 3_000

/** A WebSocket client (RFC 6455) that costs little, so that thousands of them fit into one process. */
export class SocketClient {
  private readonly socket: Socket
  private readonly handlers: Handlers
  private rest = Buffer.alloc(0)
  private isUpgraded = false
  private readonly opened = Promise.withResolvers<void>()

  private constructor(socket: Socket, handlers: Handlers) {
    this.socket = socket
    this.handlers = handlers
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    socket.on('error', () => {}) // a 'close' event follows
    socket.on('close', () => {
      this.opened.reject(new Error(`The server closed the connection: ${this.rest.toString('latin1').slice(0, 200)}`))
      handlers.onClose?.()
    })
  }

  /** Resolves once the server has accepted the socket. */
  static async open(port: number, path: string, token: string, handlers: Handlers): Promise<SocketClient> {
    const client = new SocketClient(connect({ port, host: '127.0.0.1', noDelay: true }), handlers)
    const authorization = token && `authorization: Bearer ${token}\r\n`
    client.socket.write(
      `GET ${path} HTTP/1.1\r\nhost: bench\r\n${authorization}connection: Upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
    await client.opened.promise
    return client
  }

  /** Sends a text of at most 125 bytes. */
  send(text: string): void {
    const [payload, mask] = [Buffer.from(text), randomBytes(4)]
    this.socket.write(frameOf(TEXT, payload, mask))
  }

  /** Closes the connection after the closing handshake. */
  async close(): Promise<void> {
    if (this.socket.destroyed) return
    const closed = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.write(frameOf(CLOSE, Buffer.from([3, 232]), randomBytes(4)))
    const overdue = setTimeout(() => this.socket.destroy(), CLOSING_MS)
    await closed
    clearTimeout(overdue)
  }

  private read(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    if (!this.isUpgraded && !this.readHead()) return
    for (let frame = firstFrame(this.rest); frame !== null; frame = firstFrame(this.rest)) {
      this.rest = this.rest.subarray(frame.end)
      if (frame.code === TEXT) this.handlers.onText(frame.payload.toString())
      else if (frame.code === PING) this.socket.write(frameOf(PONG, frame.payload, randomBytes(4)))
      else if (frame.code === CLOSE) this.socket.end()
    }
  }

  private readHead(): boolean {
    const end = this.rest.indexOf('\r\n\r\n')
    if (end < 0) return false
    if (!this.rest.toString('latin1', 0, 12).endsWith(' 101')) {
      if (!this.socket.destroyed) this.socket.end()
      return false
    }
    this.rest = this.rest.subarray(end + 4)
    this.isUpgraded = true
    this.opened.resolve()
    return true
  }
}

function frameOf(code: number, payload: Buffer, mask: Buffer): Buffer {
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!)
  return Buffer.concat([Buffer.from([0x80 | code, 0x80 | payload.length]), mask, masked])
}

/** The first frame of a server, which does not mask; null if it is not complete yet. */
function firstFrame(bytes: Buffer): { code: number; payload: Buffer; end: number } | null {
  if (bytes.length < 2) return null
  const short = bytes[1]! & 0x7f
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return null
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const end = start + length
  return bytes.length < end ? null : { code: bytes[0]! & 0x0f, payload: bytes.subarray(start, end), end }
}
