import { signal } from '@preact/signals'
import ReconnectingWebSocket from 'partysocket/ws'
import type { RealtimeTicket } from '../../client/wire.ts'
import { call } from './api.ts'
import { ApiError } from './http.ts'
import { onAccountChange, refreshSession } from './session.ts'

type FrameData = { [field: string]: string | undefined }
type Frame = { seq: number; event: string; data: FrameData }
type Hello = { seq: number; event: 'hello'; resumed: boolean }

const PING_INTERVAL_MS = 30_000
const PONG_TIMEOUT_MS = 10_000
/** Browsers fire `close` up to two seconds after the server has closed a socket, so its state is watched, too. */
const CLOSING_INTERVAL_MS = 250
/** The close code of a socket whose login has ended, or whose access token was revoked. */
const SESSION_ENDED = 4001

/** Whether events arrive live; `undefined` before the first connection. */
export const live = signal<boolean | undefined>(undefined)

const frameHandlers = new Map<string, (data: FrameData) => void>()
const gapHandlers: (() => void)[] = []

export function onFrame(event: string, handle: (data: FrameData) => void): void {
  frameHandlers.set(event, handle)
}

/** Registers a function that is called when frames may have been missed. */
export function onGap(catchUp: () => void): void {
  gapHandlers.push(catchUp)
}

let socket: ReconnectingWebSocket | null = null
let pingTimer: ReturnType<typeof setInterval> | undefined
let closingTimer: ReturnType<typeof setInterval> | undefined
let pongTimer: ReturnType<typeof setTimeout> | undefined
let lastSeq: number | null = null

/** Opens the socket and reconnects it after every interruption. */
export function connect(): void {
  socket = new ReconnectingWebSocket(socketUrl, [], {
    minReconnectionDelay: 1_000,
    maxReconnectionDelay: 30_000,
    connectionTimeout: 10_000,
  })
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    clearTimeout(pongTimer)
    if (data !== 'pong') receive(JSON.parse(data) as Frame | Hello)
  })
  socket.addEventListener('close', ({ code }) => {
    if (code === SESSION_ENDED) checkSession()
    markOffline()
  })
  closingTimer = setInterval(() => socket?.readyState === WebSocket.CLOSING && checkSession(), CLOSING_INTERVAL_MS)
  pingTimer = setInterval(ping, PING_INTERVAL_MS)
}

/** The refresh fails if this login has ended, and then ends it in this browser too. */
function checkSession(): void {
  if (live.value) void refreshSession().catch(() => {})
  markOffline()
}

function markOffline(): void {
  if (live.value) live.value = false
}

function disconnect(): void {
  clearInterval(pingTimer)
  clearInterval(closingTimer)
  clearTimeout(pongTimer)
  socket?.close()
  socket = null
  lastSeq = null
  live.value = undefined
}
onAccountChange(disconnect)

async function socketUrl(): Promise<string> {
  const query = new URLSearchParams({
    ticket: await requestTicket(),
    channels: 'home,notifications',
    ...(lastSeq !== null && { since: String(lastSeq) }),
  })
  return `${window.location.origin.replace(/^http/, 'ws')}/v1/realtime?${query}`
}

async function requestTicket(): Promise<string> {
  try {
    const { ticket } = await call<RealtimeTicket>('POST', '/realtime/tickets')
    return ticket
  } catch (error) {
    // The socket retries soon after this function rejects, so first wait as long as Retry-After demands.
    if (error instanceof ApiError) await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1_000))
    throw error
  }
}

function ping(): void {
  if (socket?.readyState !== WebSocket.OPEN) return
  socket.send('ping')
  pongTimer = setTimeout(() => socket?.reconnect(), PONG_TIMEOUT_MS)
}

function receive(frame: Frame | Hello): void {
  if (isHello(frame)) {
    live.value = true
    lastSeq = frame.seq
    if (frame.resumed) return
    for (const catchUp of gapHandlers) catchUp()
  } else if (typeof frame.seq === 'number') {
    lastSeq = frame.seq
    frameHandlers.get(frame.event)?.(frame.data)
  }
}

const isHello = (frame: Frame | Hello): frame is Hello => frame.event === 'hello'

addEventListener('online', () => socket?.reconnect())
// Without this, the user would learn of a lost connection only after the next ping.
addEventListener('offline', markOffline)
