import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../config.ts'
import type { Id } from '../data/ids.ts'
import { ACCESS_TOKEN_LIFE_MS } from '../security/tokens.ts'
import { setPresence } from './presence.ts'

/** What a socket is sent: `seq` counts up per account, `channel` says what it belongs to, `data` holds ids. */
export type Frame = { seq: number; channel: string; event: string; data: unknown }

/** The login that opened a socket, and when its access token was issued (epoch ms). */
type Login = { sessionId: string; issuedAt: number }
type Attached = Login & { channels: string[]; received: number[] }
export type Opening = Login & { accountId: Id; channels: string[]; since: number | null }
/** Whom to shut out: one login, or whoever has a token issued by then (epoch ms). */
export type Shut = { sessionId: string } | { before: number }

const KEPT_FRAMES = 256
const LINGER_MS = 60_000
const TICKET_MS = 30_000
const MAX_SOCKETS = 16
const MAX_MESSAGE_LENGTH = 4_096
const MAX_MESSAGES_PER_MINUTE = 60
/** After a day a client connects anew, and shows that its login still holds. */
const MAX_AGE_MS = 24 * 3_600_000

/**
 * One per account: its open sockets, which hibernate, and the last frames with their sequence numbers, so that a socket
 * that comes back with `since` misses nothing and repeats nothing, or is told to refetch. It knows nothing of the domain.
 */
export class UserHub extends DurableObject<Env> {
  private readonly sql = this.ctx.storage.sql
  private arriving = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    this.sql.exec(
      'CREATE TABLE IF NOT EXISTS frames (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, channel TEXT, event TEXT, data TEXT)',
    )
    this.sql.exec(
      'CREATE TABLE IF NOT EXISTS socket_tickets (hash TEXT PRIMARY KEY, session_id TEXT, issued_at INTEGER, expires_at INTEGER)',
    )
    this.sql.exec(
      'CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER, complete_from INTEGER, account_id TEXT)',
    )
    this.sql.exec('CREATE TABLE IF NOT EXISTS shut (session_id TEXT PRIMARY KEY, before INTEGER, at INTEGER)')
    this.sql.exec('INSERT OR IGNORE INTO state VALUES (1, 0, 0, NULL)')
  }

  /** Sends a frame to every socket of the channel and keeps it for those that come back. The same `key` counts once. */
  async publish(channel: string, key: string, event: string, data: unknown): Promise<void> {
    const seq = this.state().seq + 1
    const kept = this.sql.exec(
      'INSERT OR IGNORE INTO frames VALUES (?, ?, ?, ?, ?)',
      seq,
      key,
      channel,
      event,
      JSON.stringify(data),
    )
    if (kept.rowsWritten === 0) return
    this.sql.exec('UPDATE state SET seq = ?1, complete_from = max(complete_from, ?2)', seq, seq - KEPT_FRAMES)
    this.sql.exec('DELETE FROM frames WHERE seq <= ?', seq - KEPT_FRAMES)
    for (const socket of this.ctx.getWebSockets()) {
      const { channels, issuedAt } = attached(socket)
      if (issuedAt < Date.now() - MAX_AGE_MS) close(socket, 4000, 'connect anew')
      else if (channels.includes(channel)) send(socket, { seq, channel, event, data })
    }
    // Sockets that went with a deployment closed without a word: then this is where it shows that nobody is there.
    if (!this.occupied() && (await this.ctx.storage.getAlarm()) === null) await this.scheduleOffline()
  }

  /** A ticket for one connection within 30 seconds, for clients that cannot set headers on a WebSocket. */
  async issueTicket({ sessionId, issuedAt }: Login): Promise<string> {
    const secret = crypto.randomUUID() + crypto.randomUUID()
    const [key, expiresAt] = [await hash(secret), Date.now() + TICKET_MS]
    this.sql.exec('DELETE FROM socket_tickets WHERE expires_at < ?', Date.now())
    this.sql.exec('INSERT INTO socket_tickets VALUES (?, ?, ?, ?)', key, sessionId, issuedAt, expiresAt)
    return secret
  }

  /** Uses up a ticket: the login and the token it was issued to, or null. */
  async redeemTicket(secret: string): Promise<Login | null> {
    const [row] = this.sql
      .exec<Login & { expiresAt: number }>(
        'DELETE FROM socket_tickets WHERE hash = ? RETURNING session_id AS sessionId, issued_at AS issuedAt, expires_at AS expiresAt',
        await hash(secret),
      )
      .toArray()
    return row && row.expiresAt >= Date.now() ? { sessionId: row.sessionId, issuedAt: row.issuedAt } : null
  }

  /** The WebSocket upgrade. The caller has authenticated it and says who opens what in the header `opening`. */
  override async fetch(request: Request): Promise<Response> {
    const opening = JSON.parse(request.headers.get('opening')!) as Opening
    // Those that are on their way hold a place already: many may come at once.
    if (this.live().length + this.arriving >= MAX_SOCKETS) return new Response(null, { status: 429 })
    const refused = new Response(null, { status: 401 })
    if (this.isRevoked(opening)) return refused
    await this.arrive(opening.accountId)
    if (this.isRevoked(opening)) {
      if (!this.occupied()) await this.scheduleOffline()
      return refused
    }
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    server.serializeAttachment({
      sessionId: opening.sessionId,
      issuedAt: opening.issuedAt,
      channels: opening.channels,
      received: [],
    } satisfies Attached)
    this.greet(server, opening)
    return new Response(null, { status: 101, webSocket: client })
  }

  /**
   * Closes the sockets of those who are shut out, telling why, and remembers it for as long as their access tokens last:
   * whoever let them in a moment ago may not know yet.
   */
  closeRevoked(reason: string, shut: Shut): void {
    const now = Date.now()
    const [sessionId, before] = 'before' in shut ? ['', shut.before] : [shut.sessionId, now]
    this.sql.exec('DELETE FROM shut WHERE at < ?', now - ACCESS_TOKEN_LIFE_MS)
    if (before > now - ACCESS_TOKEN_LIFE_MS) {
      const kept = 'ON CONFLICT (session_id) DO UPDATE SET before = max(before, excluded.before), at = excluded.at'
      this.sql.exec(`INSERT INTO shut VALUES (?, ?, ?) ${kept}`, sessionId, before, now)
    }
    for (const socket of this.ctx.getWebSockets()) {
      const { sessionId: own, issuedAt } = attached(socket)
      if (sessionId === '' ? issuedAt <= before : own === sessionId) close(socket, 4001, reason)
    }
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const state = attached(socket)
    const recent = [...state.received.filter((at) => at > Date.now() - 60_000), Date.now()]
    socket.serializeAttachment({ ...state, received: recent.slice(-MAX_MESSAGES_PER_MINUTE) } satisfies Attached)
    if (recent.length > MAX_MESSAGES_PER_MINUTE) close(socket, 4008, 'too many messages')
    else if (typeof message !== 'string') close(socket, 1003, 'only text is understood')
    else if (message.length > MAX_MESSAGE_LENGTH) close(socket, 1009, 'message too large')
    else
      send(socket, {
        event: 'error',
        code: 'bad_request',
        detail: 'Only "ping" is understood; connect anew for other channels',
      })
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    close(socket, code === 1005 || code === 1006 ? 1000 : code, '')
    if (this.live().length === 0) await this.scheduleOffline()
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket, 1011)
  }

  /** A minute after the last socket closed: from now on frames pass by, so whoever comes back later must refetch. */
  override async alarm(): Promise<void> {
    const { account_id: accountId } = this.state()
    if (accountId === null || this.occupied()) return
    this.sql.exec('DELETE FROM frames')
    this.sql.exec('UPDATE state SET seq = seq + 1, complete_from = seq + 1')
    await setPresence(this.env, accountId, false)
    if (this.occupied()) await setPresence(this.env, accountId, true)
  }

  private isRevoked({ sessionId, issuedAt }: Login): boolean {
    const query = "SELECT 1 FROM shut WHERE session_id = ? OR (session_id = '' AND before >= ?)"
    return this.sql.exec(query, sessionId, issuedAt).toArray().length > 0
  }

  /** Marks the account online before its socket opens: what happens after the greeting is pushed. */
  private async arrive(accountId: Id): Promise<void> {
    this.sql.exec('UPDATE state SET account_id = ?', accountId)
    this.arriving += 1
    await setPresence(this.env, accountId, true).finally(() => (this.arriving -= 1))
  }

  private scheduleOffline(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + LINGER_MS)
  }

  private occupied(): boolean {
    return this.arriving > 0 || this.live().length > 0
  }

  private state(): { seq: number; complete_from: number; account_id: Id | null } {
    return this.sql.exec<{ seq: number; complete_from: number; account_id: Id | null }>('SELECT * FROM state').one()
  }

  private greet(socket: WebSocket, { since, channels }: Opening): void {
    const { seq, complete_from: completeFrom } = this.state()
    const resumed = since !== null && since >= completeFrom && since <= seq
    send(socket, { event: 'hello', seq, resumed, channels })
    if (!resumed) return
    const missed = this.sql.exec<{ seq: number; channel: string; event: string; data: string }>(
      'SELECT seq, channel, event, data FROM frames WHERE seq > ? ORDER BY seq',
      since,
    )
    for (const frame of missed) {
      if (channels.includes(frame.channel)) send(socket, { ...frame, data: JSON.parse(frame.data) })
    }
  }

  private live(): WebSocket[] {
    return this.ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN)
  }
}

function attached(socket: WebSocket): Attached {
  return socket.deserializeAttachment() as Attached
}

/** A socket that was closed stays listed until its peer answers, and throws on `send`: it must not stop the others. */
function send(socket: WebSocket, frame: object): void {
  if (socket.readyState !== WebSocket.OPEN) return
  try {
    socket.send(JSON.stringify(frame))
  } catch {
    close(socket, 1011, 'not reachable')
  }
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason)
  } catch {
    // Closed already: there is nobody left to tell.
  }
}

async function hash(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}
