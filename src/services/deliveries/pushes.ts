import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { outbound } from '../../platform/security/outbound.ts'
import { isResting, noteAnswer } from './hanging-hosts.ts'
import { type Message, singleOf, subjectOf } from './items.ts'
import { encryptPush } from './push-encryption.ts'
import { bytesOf, forgetPush, openPushes, readLivePushes } from './push-subscriptions.ts'
import { type Claimed, postpone, retryLater, settle, settleSent, takeTurn } from './rows.ts'
import { vapidHeader } from './vapid.ts'

const INTERVAL_MS = 60_000
const TTL_SECONDS = 24 * 3_600
const MAX_WAIT_SECONDS = 24 * 3_600
/** For one device, and for all of them: a push service that hangs holds a consumer no longer. */
const CALL_MS = 2_000
const DELIVERY_MS = 6_000
const CALLS = DELIVERY_MS / CALL_MS
const GONE = new Set([404, 410])

type Device = Awaited<ReturnType<typeof openPushes>>[number]
/** How long to wait before the next attempt, null if the device got it or never will. */
type Outcome = { device: Id; waitMs: number | null; isAccepted: boolean }

/** Sends one push about all that is claimed to the devices of the account, now or when the next push is allowed. */
export async function sendPush(ctx: SystemCtx, claimed: Claimed, message: Message): Promise<void> {
  const { accountId } = claimed
  const devices = await openPushes(ctx, accountId, await readLivePushes(ctx, accountId))
  if (devices.length === 0) return settle(ctx, claimed, 'dropped')
  const free = await takeTurn(ctx, claimed, INTERVAL_MS)
  if (free !== null) return postpone(ctx, claimed, free)
  const rest = devices.filter(({ id }) => !claimed.reached.includes(id))
  const outcomes = await pushAll(ctx, claimed, rest, message)
  const waits = outcomes.flatMap(({ waitMs }) => waitMs ?? [])
  const done = outcomes.flatMap(({ device, waitMs }) => (waitMs === null ? [device] : []))
  if (waits.length > 0) return retryLater(ctx, claimed, Math.min(...waits), [...claimed.reached, ...done])
  const isSent = claimed.reached.length > 0 || outcomes.some(({ isAccepted }) => isAccepted)
  if (isSent) return settleSent(ctx, claimed)
  await settle(ctx, claimed, 'failed')
}

/** One after the other, each attempt beginning where the last one stopped, so that services that hang do not stop the others. */
async function pushAll(ctx: SystemCtx, claimed: Claimed, devices: Device[], message: Message): Promise<Outcome[]> {
  const start = devices.length > 0 ? (claimed.failures * CALLS) % devices.length : 0
  const until = ctx.now() + DELIVERY_MS
  const outcomes: Outcome[] = []
  for (const device of [...devices.slice(start), ...devices.slice(0, start)]) {
    const isLeft = ctx.now() >= until || isResting(ctx, new URL(device.endpoint).host)
    const left = { device: device.id, waitMs: 0, isAccepted: false }
    outcomes.push(isLeft ? left : await push(ctx, claimed.accountId, device, message))
  }
  return outcomes
}

async function push(ctx: SystemCtx, accountId: Id, device: Device, message: Message): Promise<Outcome> {
  const { id, endpoint, p256dh, auth } = device
  const authorization = await vapidHeader(ctx, new URL(endpoint))
  if (authorization === null) return { device: id, waitMs: null, isAccepted: false }
  const text = JSON.stringify(payloadOf(ctx, message))
  const body = await encryptPush(text, { p256dh: bytesOf(p256dh), auth: bytesOf(auth) })
  const headers = {
    authorization,
    'content-type': 'application/notification+json',
    'content-encoding': 'aes128gcm',
    ttl: String(TTL_SECONDS),
    urgency: message.items.some(({ isUrgent }) => isUrgent) ? 'normal' : 'low',
    topic: await topicOf(ctx, accountId, message),
  }
  const call = { method: 'POST', headers, body, redirect: 'manual' as const, deadlineMs: CALL_MS }
  const calledAt = ctx.now()
  const response = await outbound(ctx, endpoint, call).catch(() => null)
  noteAnswer(ctx, new URL(endpoint).host, response === null && ctx.now() - calledAt >= CALL_MS)
  if (response && GONE.has(response.status)) await forgetPush(ctx, accountId, id)
  const isTransient = response === null || response.status === 429 || response.status >= 500
  if (response && !response.ok) ctx.log.warn('a push service refused a push', { status: response.status })
  return { device: id, waitMs: isTransient ? waitOf(ctx, response) : null, isAccepted: response?.ok ?? false }
}

/** Declarative Web Push (W3C Push API, `web_push: 8030`): browsers can show it without a service worker. */
function payloadOf(ctx: SystemCtx, message: Message) {
  const single = singleOf(message)
  return {
    web_push: 8030,
    notification: {
      title: subjectOf(message),
      ...(single?.quote && { body: single.quote }),
      lang: 'en',
      dir: 'ltr',
      tag: single?.tag ?? `several-${message.path.slice(1)}`,
      navigate: ctx.config.BASE_URL + (single ?? message).path,
    },
  }
}

/** Push services can read the topic, so it must differ for each member of a conversation. At most 32 characters. */
async function topicOf(ctx: SystemCtx, accountId: Id, message: Message): Promise<string> {
  const topic = singleOf(message)?.topic ?? message.path
  return (await blindIndex(ctx.config, 'push topic', `${accountId} ${topic}`)).slice(0, 32)
}

/** What `Retry-After` asks for: seconds or a date (RFC 9110). */
function waitOf(ctx: SystemCtx, response: Response | null): number {
  const text = response?.headers.get('retry-after') ?? ''
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - ctx.now()) / 1_000
  return Number.isFinite(seconds) ? Math.max(0, Math.min(seconds, MAX_WAIT_SECONDS)) * 1_000 : 0
}
