import { DurableObject } from 'cloudflare:workers'
import { configOf } from '../config.ts'
import type { Id } from '../data/ids.ts'
import { migrateObject } from '../objects/migrate-object.ts'
import { sha256 } from '../security/crypto.ts'
import { ACCESS_TOKEN_LIFE_MS } from '../security/tokens.ts'
import { setPresence } from './presence.ts'
import { type Login, Opening, type OutgoingFrame, type Revocation, TICKET_LIFE_S } from './user-hub.client.ts'

type Attached = Login & { channels: string[]; received: number[] }

const KEPT_FRAMES = 256
const LINGER_MS = 60_000
const MAX_SOCKETS = 16
const MAX_MESSAGE_LENGTH = 4_096
const MAX_MESSAGES_PER_MINUTE = 60
const HOUR_MS = 3_600_000
/** A socket whose token is older is closed at the next frame. To reconnect, its client needs an active login. */
const MAX_AGE_MS = 24 * 3_600_000

const schema = [
  `CREATE TABLE frames (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, channel TEXT, event TEXT, data TEXT, sent_at INTEGER);
   CREATE TABLE socket_tickets (hash TEXT PRIMARY KEY, session_id TEXT, issued_at INTEGER, expires_at INTEGER);
   CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER, complete_from INTEGER, account_id TEXT);
   CREATE TABLE revoked (session_id TEXT PRIMARY KEY, before INTEGER, at INTEGER);
   INSERT INTO state VALUES (1, 0, 0, NULL)`,
]

/** One per account: its sockets, which hibernate, and its latest frames, so that clients resume without gaps. */
export class UserHub extends DurableObject<Env> {
  private migrated = false
  private arriving = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  private get sql(): SqlStorage {
    if (!this.migrated) migrateObject(this.ctx.storage, schema)
    this.migrated = true
    return this.ctx.storage.sql
  }

  /** Closes the sockets, and deletes everything that is stored. */
  async erase(): Promise<void> {
    this.closeRevoked('erased', { before: Date.now() })
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
    this.migrated = false
  }

  async publish({ channel, key, event, data }: OutgoingFrame): Promise<void> {
    const now = Date.now()
    const seq = this.state().seq + 1
    const insert = 'INSERT OR IGNORE INTO frames VALUES (?, ?, ?, ?, ?, ?)'
    const stored = this.sql.exec(insert, seq, key, channel, event, JSON.stringify(data), now)
    if (stored.rowsWritten === 0) return
    this.sql.exec(
      'UPDATE state SET seq = ?1, complete_from = max(complete_from, ?2)',
      seq,
      this.dropOldFrames(seq, now),
    )
    for (const socket of this.ctx.getWebSockets()) {
      const { channels, issuedAt } = attached(socket)
      if (issuedAt < now - MAX_AGE_MS) close(socket, 4000, 'reconnect')
      else if (channels.includes(channel)) send(socket, { seq, channel, event, data })
    }
    // A deployment closes sockets without calling `webSocketClose`. The hub notices only here that none is left.
    if (!this.occupied() && (await this.ctx.storage.getAlarm()) === null) await this.scheduleOffline()
  }

  /** Drops at most two expired frames, so that each call is fast. Returns the `seq` of the last dropped frame. */
  private dropOldFrames(seq: number, now: number): number {
    this.sql.exec('DELETE FROM frames WHERE seq <= ?', seq - KEPT_FRAMES)
    const oldest = 'SELECT seq FROM frames ORDER BY seq LIMIT 2'
    const expired = `DELETE FROM frames WHERE seq IN (${oldest}) AND sent_at < ? RETURNING seq`
    const dropped = this.sql.exec<{ seq: number }>(expired, now - configOf(this.env).FRAME_HOURS * HOUR_MS).toArray()
    return Math.max(seq - KEPT_FRAMES, ...dropped.map((frame) => frame.seq))
  }

  async issueTicket({ sessionId, issuedAt }: Login): Promise<string> {
    const secret = crypto.randomUUID() + crypto.randomUUID()
    const [key, expiresAt] = [await hash(secret), Date.now() + TICKET_LIFE_S * 1_000]
    this.sql.exec('DELETE FROM socket_tickets WHERE expires_at < ?', Date.now())
    this.sql.exec('INSERT INTO socket_tickets VALUES (?, ?, ?, ?)', key, sessionId, issuedAt, expiresAt)
    return secret
  }

  async redeemTicket(secret: string): Promise<Login | null> {
    const [row] = this.sql
      .exec<Login & { expiresAt: number }>(
        'DELETE FROM socket_tickets WHERE hash = ? RETURNING session_id AS sessionId, issued_at AS issuedAt, expires_at AS expiresAt',
        await hash(secret),
      )
      .toArray()
    return row && row.expiresAt >= Date.now() ? { sessionId: row.sessionId, issuedAt: row.issuedAt } : null
  }

  /** The caller has authenticated the request, and sends an `Opening` in the header `opening`. */
  override async fetch(request: Request): Promise<Response> {
    const opening = Opening.parse(JSON.parse(request.headers.get('opening') ?? ''))
    // Sockets that are still in `arrive` count too: otherwise, many that open at once would exceed the limit.
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
   * Closes the sockets of revoked tokens. Keeps the revocation for as long as an access token is valid, because a
   * request that was admitted earlier may still open a socket.
   */
  closeRevoked(reason: string, revoked: Revocation): void {
    const now = Date.now()
    const before = 'before' in revoked ? revoked.before : now
    const sessionIds = 'before' in revoked ? [''] : revoked.sessionIds
    this.sql.exec('DELETE FROM revoked WHERE at < ?', now - ACCESS_TOKEN_LIFE_MS)
    if (before > now - ACCESS_TOKEN_LIFE_MS) {
      const merge = 'ON CONFLICT (session_id) DO UPDATE SET before = max(before, excluded.before), at = excluded.at'
      for (const id of sessionIds) this.sql.exec(`INSERT INTO revoked VALUES (?, ?, ?) ${merge}`, id, before, now)
    }
    for (const socket of this.ctx.getWebSockets()) {
      const { sessionId: own, issuedAt } = attached(socket)
      if ('before' in revoked ? issuedAt <= before : sessionIds.includes(own)) close(socket, 4001, reason)
    }
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const state = attached(socket)
    const recent = [...state.received.filter((at) => at > Date.now() - 60_000), Date.now()]
    socket.serializeAttachment({ ...state, received: recent.slice(-MAX_MESSAGES_PER_MINUTE) } satisfies Attached)
    if (recent.length > MAX_MESSAGES_PER_MINUTE) close(socket, 4008, 'too many messages')
    else if (typeof message !== 'string') close(socket, 1003, 'only text is supported')
    else if (message.length > MAX_MESSAGE_LENGTH) close(socket, 1009, 'message too large')
    else
      send(socket, {
        event: 'error',
        code: 'bad_request',
        detail: 'Only "ping" is supported; reconnect to change channels',
      })
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    close(socket, code === 1005 || code === 1006 ? 1000 : code, '')
    if (this.live().length === 0) await this.scheduleOffline()
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket, 1011)
  }

  /** Runs a minute after the hub noticed that no socket is left. Clients then cannot resume, and reload their lists. */
  override async alarm(): Promise<void> {
    const { account_id: accountId } = this.state()
    if (accountId === null || this.occupied()) return
    this.sql.exec('DELETE FROM frames')
    this.sql.exec('UPDATE state SET seq = seq + 1, complete_from = seq + 1')
    await setPresence(this.env, accountId, false)
    if (this.occupied()) await setPresence(this.env, accountId, true)
  }

  private isRevoked({ sessionId, issuedAt }: Login): boolean {
    const query = "SELECT 1 FROM revoked WHERE session_id = ? OR (session_id = '' AND before >= ?)"
    return this.sql.exec(query, sessionId, issuedAt).toArray().length > 0
  }

  /** Marks the account online before its socket opens: services send frames only to accounts that are online. */
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
    const { seq: newest, complete_from: completeFrom } = this.state()
    const resumed = since !== null && since >= completeFrom && since <= newest
    // Not `newest` if resumed: a client that disconnects before the missed frames arrive must ask for them again.
    send(socket, { event: 'hello', seq: resumed ? since : newest, resumed, channels })
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

/** Never throws, so that the other sockets get the frame. A closing socket stays listed until its peer responds. */
function send(socket: WebSocket, frame: object): void {
  if (socket.readyState !== WebSocket.OPEN) return
  try {
    socket.send(JSON.stringify(frame))
  } catch {
    close(socket, 1011, 'unreachable')
  }
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason)
  } catch {
    // Already closed.
  }
}

async function hash(secret: string): Promise<string> {
  return (await sha256(secret)).toBase64()
}
