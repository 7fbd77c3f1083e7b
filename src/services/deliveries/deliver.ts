import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { idIn } from '../../platform/data/shards.ts'
import { isOnline } from '../../platform/realtime/hub.client.ts'
import { readDigestItems } from './digest-items.ts'
import type { Item, Items, Message } from './items.ts'
import { sendMail } from './mails.ts'
import { readMessageItems } from './message-items.ts'
import { readNotificationItems } from './notification-items.ts'
import { readSettings, type Settings } from './preferences.ts'
import { sendPush } from './pushes.ts'
import { quietUntil } from './quiet-hours.ts'
import { type Claimed, claim, postpone, release, retryLater, settle } from './rows.ts'
import type { deliverTask } from './statements.ts'
import { channelOf, deliveries, isOfMessages, type Lane } from './tables.ts'

const ONLINE_MS = 15 * 60_000
const READING_MS = 60_000

type Content = Pick<Message, 'several' | 'path' | 'subject'> & {
  read: (ctx: SystemCtx, claimed: Claimed, settings: Settings) => Promise<Items>
}
const ofNotifications = { read: readNotificationItems, several: 'new notifications', path: '/notifications' }
const ofConversations = { read: readMessageItems, several: 'conversations with new messages', path: '/messages' }
const contentOf: Record<Lane, Content> = {
  mail: ofNotifications,
  push: ofNotifications,
  messageMail: ofConversations,
  messagePush: ofConversations,
  digest: { ...ofNotifications, read: readDigestItems, subject: 'What you have missed' },
}

/** Delivers what is due and still wanted, in one message. A repeated or concurrent call finds nothing to claim. */
export async function deliver(ctx: SystemCtx, whose: z.infer<typeof deliverTask.data>): Promise<void> {
  const claimed = await claim(ctx, whose)
  if (claimed === null) return
  try {
    await deliverClaimed(ctx, claimed)
  } catch (error) {
    ctx.log.warn('a delivery failed', { channel: whose.channel, error })
    await retryLater(ctx, claimed)
  }
  await release(ctx, claimed)
}

async function deliverClaimed(ctx: SystemCtx, claimed: Claimed): Promise<void> {
  const settings = await readSettings(ctx, claimed.accountId)
  const ofMessages = isOfMessages(claimed.channel)
  const { read, ...texts } = contentOf[claimed.channel]
  const { items, hasMore = false } = await read(ctx, claimed, settings)
  const names = new Set(items.map(({ id }) => id))
  const unwanted = claimed.newest.filter((id) => !names.has(id))
  if (unwanted.length > 0) await settle(ctx, claimed, 'dropped', idIn(deliveries.eventId, unwanted))
  if (items.length === 0) return postpone(ctx, claimed, ctx.now())
  const waiting =
    quietUntil(ctx.now(), settings.quietHours) ?? (ofMessages ? await onlineUntil(ctx, claimed, items) : null)
  if (waiting !== null) return postpone(ctx, claimed, waiting)
  const send = channelOf(claimed.channel) === 'mail' ? sendMail : sendPush
  await send(ctx, claimed, { items, hasMore: hasMore || claimed.total > claimed.newest.length, ...texts })
}

/** When to look again, because the person is online; null if the message is to be sent now. */
async function onlineUntil(ctx: SystemCtx, { accountId, channel }: Claimed, items: Item[]): Promise<number | null> {
  const now = ctx.now()
  const until =
    channel === 'messageMail' ? now + ONLINE_MS : Math.min(...items.map(({ since = now }) => since)) + READING_MS
  return until > now && (await isOnline(ctx, accountId)) ? until : null
}
