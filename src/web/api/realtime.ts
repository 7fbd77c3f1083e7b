import { signal } from '@preact/signals'
import ReconnectingWebSocket from 'partysocket/ws'
import { call } from './api.ts'
import { Problem } from './http.ts'
import { onAccountChange } from './session.ts'
import type { RealtimeTicket } from './wire.ts'

type Frame = { seq: number; event: string; data: Record<string, string> }
type Hello = { seq: number; event: 'hello'; resumed: boolean }

const PING_MS = 30_000
const PONG_MS = 10_000

/** Whether frames arrive as things happen; `undefined` before the first connection. */
export const live = signal<boolean | undefined>(undefined)

const handlers = new Map<string, (data: Record<string, string>) => void>()

/** Registers what to do with the frames of one event. */
export function onFrame(event: string, handle: (data: Record<string, string>) => void): void {
  handlers.set(event, handle)
}

/** Registers what to do when frames may have been missed. */
export function onGap(catchUp: () => void): void {
  gaps.push(catchUp)
}
const gaps: (() => void)[] = []

let socket: ReconnectingWebSocket | null = null
let beat: ReturnType<typeof setInterval> | undefined
let silence: ReturnType<typeof setTimeout> | undefined
let seen: number | null = null

/** Opens the socket and keeps it open, whatever the network does. */
export function connect(): void {
  socket = new ReconnectingWebSocket(address, [], {
    minReconnectionDelay: 1_000,
    maxReconnectionDelay: 30_000,
    connectionTimeout: 10_000,
  })
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    clearTimeout(silence)
    if (data !== 'pong') receive(JSON.parse(data) as Frame | Hello)
  })
  socket.addEventListener('close', lose)
  beat = setInterval(ping, PING_MS)
}

function lose(): void {
  if (live.value) live.value = false
}

function disconnect(): void {
  clearInterval(beat)
  clearTimeout(silence)
  socket?.close()
  socket = null
  seen = null
  live.value = undefined
}
onAccountChange(disconnect)

async function address(): Promise<string> {
  const query = new URLSearchParams({
    ticket: await newTicket(),
    channels: 'home,notifications',
    ...(seen !== null && { since: String(seen) }),
  })
  return `${window.location.origin.replace(/^http/, 'ws')}/v1/realtime?${query}`
}

async function newTicket(): Promise<string> {
  try {
    const { ticket } = await call<RealtimeTicket>('POST', '/realtime/tickets')
    return ticket
  } catch (error) {
    // The socket tries again as soon as it hears of this, so it hears no earlier than the server wants to be asked.
    if (error instanceof Problem) await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1_000))
    throw error
  }
}

function ping(): void {
  if (socket?.readyState !== WebSocket.OPEN) return
  socket.send('ping')
  silence = setTimeout(() => socket?.reconnect(), PONG_MS)
}

function receive(frame: Frame | Hello): void {
  if (isHello(frame)) {
    live.value = true
    if (frame.resumed) return
    seen = frame.seq
    for (const catchUp of gaps) catchUp()
  } else if (typeof frame.seq === 'number') {
    seen = frame.seq
    handlers.get(frame.event)?.(frame.data)
  }
}

const isHello = (frame: Frame | Hello): frame is Hello => frame.event === 'hello'

addEventListener('online', () => socket?.reconnect())
// The socket would notice with its next ping only.
addEventListener('offline', lose)
