import { DurableObject } from 'cloudflare:workers'
import type { SystemCtx } from '../context.ts'
import { createContext } from '../create-context.ts'
import type { Id } from '../data/ids.ts'
import { type Channel, sharedAmong, unkeptAmong } from './channels.ts'
import { type Login, Opening, type Revocation } from './hub.client.ts'
import { readAuthors } from './hub-authors.ts'
import type { HubFrame } from './hub-frames.ts'
import { type Attached, LINGER_MS, type Listener } from './hub-listeners.ts'
import { ends, eraseLogins, isRevoked, issueTicket, redeemTicket, revoke } from './hub-logins.ts'
import { answerTo } from './hub-messages.ts'
import { close, type HubState, loadHub, missedBy } from './hub-state.ts'

const MAX_SOCKETS = 16
/** A socket whose token is older is closed at the next frame. To reconnect, its client needs an active login. */
const MAX_AGE_MS = 24 * 3_600_000

/**
 * The sockets of many accounts of a shard, which hibernate, and their latest frames, so that clients resume without gaps.
 * docs/adr/0038-hubs.md explains the order of the steps.
 */
export abstract class HubObject extends DurableObject<Env> {
  /** Loaded when they are first used, because they belong to services. */
  protected abstract readonly channels: () => Promise<readonly Channel[]>
  private state: HubState | null = null
  private alarmAt: number | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** For the health check. */
  ready(): void {
    this.load()
  }

  /** Sends each frame once to those who listen to its topic, and keeps it if somebody does. */
  publish(frames: readonly HubFrame[]): void {
    const { frames: kept, listeners, registration } = this.load()
    if (listeners.isEmpty) this.ctx.waitUntil(registration.set(false))
    for (const frame of frames) {
      if (kept.has(frame.key)) continue
      const seq = kept.next()
      const { channel, event, data } = frame
      const text = JSON.stringify({ seq, channel, event, data })
      const heard = listeners.of(frame.topic).filter(({ accountId }) => !frame.except?.includes(accountId))
      for (const listener of heard) this.tell(listener, channel, text)
      // After the sends, which a write would delay. If the object dies in between, a retry tells the frame again.
      if (heard.length > 0 && !frame.isTransient) {
        kept.keep(seq, frame, text)
        this.schedule(Date.now() + kept.lifetime)
      }
    }
  }

  private tell(listener: Listener, channel: string, text: string): void {
    for (const [socket, { channels, issuedAt }] of listener.sockets) {
      if (issuedAt < Date.now() - MAX_AGE_MS) this.drop(listener, socket, 4000, 'reconnect')
      else if (channels.includes(channel)) this.send(listener, socket, text)
    }
  }

  /** Reads again whom the account follows. Waits for a reading that began after the call. */
  async refresh(accountId: Id): Promise<void> {
    const listener = this.load().listeners.get(accountId)
    if (listener) await readAuthors(this.load(), listener, await this.channels(), this.context())
  }

  /** The accounts among these that listen, or did so within the last minute. */
  online(accountIds: readonly Id[]): Id[] {
    const { listeners } = this.load()
    return accountIds.filter((id) => listeners.get(id))
  }

  async issueTicket(accountId: Id, login: Login): Promise<string> {
    this.load()
    return issueTicket(this.ctx.storage.sql, accountId, login)
  }

  async redeemTicket(accountId: Id, secret: string): Promise<Login | null> {
    this.load()
    return redeemTicket(this.ctx.storage.sql, accountId, secret)
  }

  /** The caller has authenticated the request, and sends an `Opening` in the header `opening`. */
  override async fetch(request: Request): Promise<Response> {
    const opening = Opening.parse(JSON.parse(request.headers.get('opening') ?? ''))
    const { accountId } = opening
    const known = await this.channels()
    const shared = sharedAmong(known, opening.channels)
    const unkept = unkeptAmong(known, opening.channels)
    const { listeners } = this.load()
    const { sql } = this.ctx.storage
    const refused = new Response(null, { status: 401 })
    if (isRevoked(sql, accountId, opening)) return refused
    const listener = listeners.enter(accountId)
    // Sockets that are still arriving count too: otherwise, many that open at once would exceed the limit.
    if (listener.sockets.size + listener.arriving >= MAX_SOCKETS) return new Response(null, { status: 429 })
    await this.arrive(listener)
    if (isRevoked(sql, accountId, opening)) {
      this.left(listener)
      return refused
    }
    // From here to `hello` without a pause, so that no frame comes in between.
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    this.greet(listener, server, opening, { shared, unkept })
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Registers the hub first: a post whose index does not see it is in the lists that the client reads after `hello`. */
  private async arrive(listener: Listener): Promise<void> {
    const { listeners, registration } = this.load()
    listener.arriving += 1
    try {
      await registration.set(true)
      if (listener.authors === null) await readAuthors(this.load(), listener, await this.channels(), this.context())
    } finally {
      listener.arriving -= 1
      if (listener.authors === null && listener.arriving === 0) listeners.delete(listener)
    }
  }

  private greet(
    listener: Listener,
    socket: WebSocket,
    { since, channels, ...login }: Opening,
    { shared, unkept }: { shared: readonly string[]; unkept: readonly string[] },
  ): void {
    const { frames, listeners } = this.load()
    const joined = shared.filter((name) => !listener.topics.has(name))
    for (const topic of joined) listener.topics.set(topic, frames.next())
    if (!listener.isStored || joined.length > 0) {
      listener.isStored = true
      listeners.store(listener)
    }
    const attached: Attached = { ...login, channels, received: [] }
    listener.sockets.set(socket, attached)
    socket.serializeAttachment(attached)
    const missed = since === null ? null : missedBy(frames, listener, channels, since)
    // Not the last number if resumed: a client that disconnects before the missed frames arrive asks for them again.
    const hello = { event: 'hello', seq: missed ? since : frames.next(), resumed: missed !== null, channels, unkept }
    for (const text of [JSON.stringify(hello), ...(missed ?? [])]) this.send(listener, socket, text)
  }

  /** Closes the sockets of revoked tokens, and keeps the revocation for as long as an access token is valid. */
  closeRevoked(accountId: Id, reason: string, revoked: Revocation): void {
    const listener = this.load().listeners.get(accountId)
    revoke(this.ctx.storage.sql, accountId, revoked)
    for (const [socket, login] of listener?.sockets ?? []) {
      if (listener && ends(revoked, login)) this.drop(listener, socket, 4001, reason)
    }
  }

  /** Closes the account's sockets, and deletes what is stored of it. */
  erase(accountId: Id): void {
    const { frames, listeners } = this.load()
    this.closeRevoked(accountId, 'erased', { before: Date.now() })
    const listener = listeners.get(accountId)
    if (listener && listener.arriving === 0) listeners.delete(listener)
    frames.delete(({ topic }) => topic === `account:${accountId}` || topic === `author:${accountId}`)
    eraseLogins(this.ctx.storage.sql, accountId)
    this.schedule(Date.now())
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const { frames, listeners } = this.load()
    const listener = this.listenerOf(socket)
    const attached = listener?.sockets.get(socket)
    if (!listener || !attached) return
    const received = { socket, listener, attached, frames, listeners, channels: await this.channels() }
    const answer = await answerTo(this.context(), message, received)
    if (!listener.sockets.has(socket)) return
    if ('close' in answer) this.drop(listener, socket, answer.close.code, answer.close.reason)
    else this.send(listener, socket, JSON.stringify(answer.frame))
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    const listener = this.listenerOf(socket)
    close(socket, code === 1005 || code === 1006 ? 1000 : code, '')
    if (listener?.sockets.delete(socket)) this.left(listener)
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1011)
  }

  /** Forgets who left a minute ago, and what is too old. Clients then cannot resume, and reload their lists. */
  override async alarm(): Promise<void> {
    const { frames, listeners, registration } = this.load()
    this.alarmAt = null
    const next = [listeners.sweep(), frames.expire()].filter((at) => at !== null)
    if (next.length > 0) this.schedule(Math.min(...next))
    if (!listeners.isEmpty) return
    frames.delete(() => true)
    await registration.set(false)
  }

  /** Reads what is stored, on the first use after a wake. */
  private load(): HubState {
    if (this.state) return this.state
    this.state = loadHub(this.ctx, this.env)
    // A deployment closes sockets without calling `webSocketClose`.
    if (this.state.listeners.all().some(({ sockets }) => sockets.size === 0)) this.schedule(Date.now() + LINGER_MS)
    return this.state
  }

  private context(): SystemCtx {
    return createContext({ env: this.env, waitUntil: (work) => this.ctx.waitUntil(work), start: 'first-primary' })
  }

  private listenerOf(socket: WebSocket): Listener | undefined {
    const { accountId }: Attached = socket.deserializeAttachment()
    return this.load().listeners.get(accountId)
  }

  /** Never throws, so that the other sockets get the frame. */
  private send(listener: Listener, socket: WebSocket, text: string): void {
    try {
      socket.send(text)
    } catch {
      this.drop(listener, socket, 1011, 'unreachable')
    }
  }

  private drop(listener: Listener, socket: WebSocket, code: number, reason: string): void {
    listener.sockets.delete(socket)
    close(socket, code, reason)
    this.left(listener)
  }

  private left(listener: Listener): void {
    listener.leftAt = Date.now()
    this.schedule(listener.leftAt + LINGER_MS)
  }

  /** Sets the one alarm, unless it will go off before. */
  private schedule(at: number): void {
    const { storage } = this.ctx
    const set = async () => {
      const stored = this.alarmAt ?? (await storage.getAlarm())
      const known = Math.min(stored ?? Number.POSITIVE_INFINITY, this.alarmAt ?? Number.POSITIVE_INFINITY)
      this.alarmAt = Math.min(known, at)
      if (at < known) await storage.setAlarm(at)
    }
    this.ctx.waitUntil(set())
  }
}
