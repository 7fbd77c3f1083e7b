import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, vi } from 'vitest'
import { configOf } from '../../src/platform/config.ts'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import type { HubFrame } from '../../src/platform/realtime/hub-frames.ts'
import { hubName, hubs } from '../../src/platform/realtime/hubs.ts'
import { requireDescribed } from './frames.ts'
import { contextWith } from './platform.ts'

type Received = { event: string; seq: number; resumed?: boolean; channel?: string; data?: unknown; code?: string }
type Socket = { socket: WebSocket; received: Received[]; closed: { code: number; reason: string } | null }
type Opening = {
  accountId?: Id
  since?: number | null
  channels?: string[]
  scopes?: string[]
  sessionId?: string
  issuedAt?: number
}

let accountId: Id
let keys = 0
let passed = 0

export function useFreshAccount(): void {
  accountId = newId(0, Date.now() + keys++ * 1_000)
}

/** The hub of an account. */
export const hubOf = (id: Id) => env.HUB.getByName(hubName({ config: configOf(env) }, id))

type Input = Pick<HubFrame, 'channel' | 'event' | 'data'> & Partial<HubFrame>
/** A frame to an account on a channel. */
export const frameTo = (id: Id, frame: Input): HubFrame => ({ key: `key ${keys++}`, topic: `account:${id}`, ...frame })
export const publishTo = (id: Id, frame: Input) => hubOf(id).publish([frameTo(id, frame)])

/** Gives each test its own account and hub. */
export function isolateHubs(): void {
  beforeEach(useFreshAccount)
  afterEach(() => void vi.useRealTimers())
}

export const soon = <T>(condition: () => T) => vi.waitUntil(condition, { timeout: 25_000, interval: 5 })
export const self = () => accountId
/** The hub of the test: each has its own, so that an eviction does not meet the sockets of another test. */
export const ownName = () => `0:4:${accountId}`
export const hub = () => env.HUB.getByName(ownName())
export const publish = (data: unknown, channel = 'home') =>
  hub().publish([frameTo(accountId, { channel, event: 'test', data })])
export const isOnline = async () => (await hub().online([accountId])).length === 1
/** The hubs that publishers know of, on the shard of the account. */
export const activeNames = async () =>
  (await contextWith().db.shard(0).select().from(hubs)).map(({ name }) => name).sort()

/** Lets a minute pass, after which a hub forgets who has left. */
export function passMinute(): void {
  vi.useRealTimers()
  passed += 61_000
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + passed })
}

/** Lets a minute pass, and runs the alarm of the hub. */
export async function lingerOver(): Promise<void> {
  passMinute()
  await soon(() => runDurableObjectAlarm(hub()))
}

/** An upgrade request for the current account, by default of session `login 1` and with both channels. */
export function upgrade(opening: Opening = {}): Request {
  const login = { sessionId: 'login 1', issuedAt: Date.now() }
  const scopes = ['posts:read', 'notifications:read']
  const all = { accountId, ...login, channels: ['home', 'notifications'], scopes, since: null, ...opening }
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
