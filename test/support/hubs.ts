import { env } from 'cloudflare:workers'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, vi } from 'vitest'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import { presence } from '../../src/platform/realtime/presence.ts'
import { requireDescribed } from './frames.ts'
import { contextWith } from './platform.ts'

type Received = { event: string; seq: number; resumed?: boolean; channel?: string; data?: unknown; code?: string }
type Socket = { socket: WebSocket; received: Received[]; closed: { code: number; reason: string } | null }
type Opening = { since?: number | null; channels?: string[]; sessionId?: string; issuedAt?: number }

let accountId: Id
let keys = 0

export function useFreshAccount(): void {
  accountId = newId(0, Date.now() + keys++ * 1_000)
}

/** Gives each test its own account and thus its own hub. */
export function isolateHubs(): void {
  beforeEach(useFreshAccount)
  afterEach(() => void vi.useRealTimers())
}

export const soon = <T>(condition: () => T) => vi.waitUntil(condition, { timeout: 25_000, interval: 5 })
export const hub = () => env.HUB.getByName(accountId)
export const publish = (data: unknown, channel = 'home') =>
  hub().publish({ channel, key: `key ${keys++}`, event: 'test', data })
export const isOnline = async () =>
  (await contextWith().db.shard(0).select().from(presence).where(eq(presence.accountId, accountId))).length === 1

/** An upgrade request for the current account, by default of session `login 1` and with both channels. */
export function upgrade(opening: Opening = {}): Request {
  const login = { sessionId: 'login 1', issuedAt: Date.now() }
  const all = { accountId, ...login, channels: ['home', 'notifications'], since: null, ...opening }
  return new Request('https://hub/', { headers: { upgrade: 'websocket', opening: JSON.stringify(all) } })
}

export const open = (opening: Opening = {}): Promise<Response> => hub().fetch(upgrade(opening))

/** Opens a socket and waits for its `hello`. With `allowHalfOpen`, the client does not confirm a close. */
export async function connect(opening: Opening = {}, allowHalfOpen = false): Promise<Socket> {
  const { webSocket } = await open(opening)
  const client: Socket = { socket: webSocket!, received: [], closed: null }
  webSocket!.addEventListener('message', ({ data }) => void client.received.push(JSON.parse(data as string)))
  webSocket!.addEventListener('close', ({ code, reason }) => {
    client.closed = { code, reason }
  })
  webSocket!.accept({ allowHalfOpen })
  await arrived(client, 1)
  requireDescribed(client.received[0]!)
  return client
}

export const arrived = (client: Socket, count: number) => soon(() => client.received.length >= count)
export const dataOf = (client: Socket) => client.received.slice(1).map((frame) => frame.data)
