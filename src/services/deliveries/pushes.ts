import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { outbound } from '../../platform/security/outbound.ts'
import type { Notification } from '../notifications/views.ts'
import { pathOf, quoteOf, titleOf } from './mail-text.ts'
import type { Settings } from './preferences.ts'
import { encryptPush } from './push-encryption.ts'
import { bytesOf, forgetPush, openPushes, readPushes } from './push-subscriptions.ts'
import { type Claimed, retryLater, settle } from './rows.ts'
import { vapidHeader } from './vapid.ts'

const TTL_SECONDS = 24 * 3_600
const MAX_WAIT_SECONDS = 24 * 3_600
const GONE = new Set([404, 410])

type Device = Awaited<ReturnType<typeof openPushes>>[number]
/** How long to wait before the next attempt, null if the device got it or never will. */
type Outcome = { device: Id; waitMs: number | null }

/** Pushes each notification to all devices of the account that have not got it. */
export async function sendPushes(
  ctx: SystemCtx,
  claimed: Claimed,
  wanted: readonly Notification[],
  settings: Settings,
): Promise<void> {
  const { accountId } = claimed
  const devices = await openPushes(ctx, accountId, await readPushes(ctx, accountId))
  for (const notification of wanted) {
    const reached = claimed.reached.get(notification.id) ?? []
    const rest = devices.filter(({ id }) => !reached.includes(id))
    const outcomes = await mapConcurrently(rest, (device) => push(ctx, accountId, device, notification, settings))
    const waits = outcomes.flatMap(({ waitMs }) => waitMs ?? [])
    const done = outcomes.flatMap(({ device, waitMs }) => (waitMs === null ? [device] : []))
    if (waits.length === 0) await settle(ctx, claimed, [notification.id], devices.length > 0 ? 'sent' : 'dropped')
    else await retryLater(ctx, claimed, [notification.id], Math.max(...waits), [...reached, ...done])
  }
}

async function push(
  ctx: SystemCtx,
  accountId: Id,
  { id: device, endpoint, p256dh, auth }: Device,
  notification: Notification,
  settings: Settings,
): Promise<Outcome> {
  const authorization = await vapidHeader(ctx, new URL(endpoint))
  if (authorization === null) return { device, waitMs: null }
  const { kind, post } = notification
  const text = JSON.stringify(payloadOf(ctx, notification, settings))
  const body = await encryptPush(text, { p256dh: bytesOf(p256dh), auth: bytesOf(auth) })
  const headers = {
    authorization,
    'content-type': 'application/notification+json',
    'content-encoding': 'aes128gcm',
    ttl: String(TTL_SECONDS),
    urgency: kind === 'like' || kind === 'follow' ? 'low' : 'normal',
    topic: `${kind}-${post?.id ?? 'all'}`,
  }
  const call = { method: 'POST', headers, body, redirect: 'manual' as const }
  const response = await outbound(ctx, endpoint, call).catch(() => null)
  if (response && GONE.has(response.status)) await forgetPush(ctx, accountId, device)
  const isTransient = response === null || response.status === 429 || response.status >= 500
  if (response && !response.ok) ctx.log.warn('a push service refused a push', { status: response.status })
  return { device, waitMs: isTransient ? waitOf(ctx, response) : null }
}

/** Declarative Web Push (W3C Push API, `web_push: 8030`): browsers can show it without a service worker. */
function payloadOf(ctx: SystemCtx, notification: Notification, settings: Settings) {
  const body = quoteOf(notification, settings)
  return {
    web_push: 8030,
    notification: {
      title: titleOf(notification),
      ...(body && { body }),
      lang: 'en',
      dir: 'ltr',
      tag: notification.id,
      navigate: ctx.config.BASE_URL + pathOf(notification),
    },
  }
}

/** What `Retry-After` asks for: seconds or a date (RFC 9110). */
function waitOf(ctx: SystemCtx, response: Response | null): number {
  const text = response?.headers.get('retry-after') ?? ''
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - ctx.now()) / 1_000
  return Number.isFinite(seconds) ? Math.max(0, Math.min(seconds, MAX_WAIT_SECONDS)) * 1_000 : 0
}
