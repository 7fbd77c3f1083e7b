import { z } from '@hono/zod-openapi'
import { and, eq, exists, isNotNull, lt, lte, not, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { all, either, excluded, increment, one, query, rowIf, rowsFrom } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import { firstIdAt, Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { defineTask, enqueue } from '../../platform/events/tasks.ts'
import { withTimeout } from '../../platform/timeout.ts'
import { blockBetween } from '../accounts/policy.ts'
import { conversations } from '../messaging/tables.ts'
import { type Kind, notifications } from '../notifications/tables.ts'
import { allows } from './policy.ts'
import { type Channel, deliveries, type Lane, lanes, pushSubscriptions } from './tables.ts'

export const deliverTask = defineTask(
  'DELIVERIES',
  'notifications.deliver',
  z.object({ accountId: Id, channel: z.enum(lanes) }),
)

/** After the insert of the notification, in its batch: a delivery for each channel that the account wants. */
export function planDeliveries(db: Database, accountId: Id, action: { id: Id; kind: Kind; actorId: Id }) {
  const own = and(eq(notifications.accountId, accountId), eq(notifications.id, action.id))
  const isNotified = exists(query.select(one).from(notifications).where(own))
  const device = query.select(one).from(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId))
  const row = { accountId, eventId: action.id, state: 'due', attempt: 0, nextAt: db.now() } as const
  const plan = (channel: Channel, ...conditions: Parameters<typeof all>) =>
    db
      .insert(deliveries)
      .select(rowIf(deliveries, { ...row, channel }, all(...conditions, isNotified)))
      .onConflictDoNothing()
      .returning({ eventId: deliveries.eventId })
  return [
    plan('mail', allows(accountId, action, 'mail')),
    plan('push', exists(device), allows(accountId, action, 'push')),
  ] as const
}

/** Only a hint: a job finds deliveries whose message was lost. Mails have none, so that the job sends several in one. */
export async function hintPush(ctx: SystemCtx, accountId: Id, planned: readonly { eventId: Id }[]): Promise<void> {
  if (planned.length === 0) return
  await enqueue(ctx, deliverTask, [{ accountId, channel: 'push' }]).catch((error: unknown) =>
    ctx.log.warn('a push waits for the next minute', { error }),
  )
}

export async function deleteOldDeliveries(db: Database, accountIds: readonly Id[], before: Id): Promise<void> {
  const key = [deliveries.accountId, deliveries.eventId, deliveries.channel]
  await deleteInSteps(db, deliveries, key, and(idIn(deliveries.accountId, accountIds), lt(deliveries.eventId, before)))
}

const MAIL_DELAY_MS = 5 * 60_000
const HINT_TIMEOUT_MS = 2_000

/** A message of somebody else, or with `isRequest` a request or an invitation, about which these accounts were not told yet. */
export type News = {
  conversationId: string
  version: number
  accountIds: readonly Id[]
  seq: number
  authorId: Id
  at: number
  isRequest: boolean
}

/** After the inboxes were stored, in their batch. Messages that wait for the same delivery need only one. */
export function planMessageDeliveries(db: Database, news: News) {
  const { accountId } = conversations
  const device = query.select(one).from(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId))
  const kind = news.isRequest ? 'messageRequest' : 'message'
  const action = { id: firstIdAt(news.at), kind, actorId: news.authorId } as const
  return [
    plan(db, news, 'messageMail', db.now() + MAIL_DELAY_MS, allows(accountId, action, 'mail')),
    plan(db, news, 'messagePush', db.now(), all(exists(device), allows(accountId, action, 'push'))),
  ]
}

function plan(db: Database, news: News, channel: Lane, at: number, wanted: SQL) {
  const { conversationId, version, seq, authorId } = news
  const isNew = and(
    idIn(conversations.accountId, news.accountIds),
    eq(conversations.conversationId, conversationId),
    eq(conversations.version, version),
    lt(conversations.readSeq, seq),
    lte(conversations.mutedUntil, db.now()),
    not(blockBetween(conversations.accountId, authorId)),
  )
  const { accountId, position: eventId } = conversations
  const row = { accountId, eventId, channel, state: 'due', attempt: 0, nextAt: at } as const
  const told = { conversationId, seq, authorId, firstAt: db.now() }
  const isDue = eq(deliveries.state, 'due')
  return db
    .insert(deliveries)
    .select(rowsFrom(deliveries, { ...row, ...told }, conversations, all(isNew!, isNotNull(eventId), wanted)))
    .onConflictDoUpdate({
      target: [deliveries.accountId, deliveries.channel, deliveries.conversationId],
      targetWhere: isNotNull(deliveries.conversationId),
      set: {
        ...{ eventId: excluded(deliveries.eventId), state: 'due', seq, authorId, reached: null },
        attempt: either<number>(isDue, deliveries.attempt, 0),
        firstAt: either<number>(isDue, deliveries.firstAt, db.now()),
        // What is due stays due. A claim does not settle what it has not told.
        nextAt: either<number>(isDue, increment(deliveries.nextAt), at),
      },
      setWhere: lt(deliveries.seq, seq),
    })
}

export function duePushes(db: Database, accountIds: readonly Id[]) {
  const { accountId, channel, nextAt } = deliveries
  const isDue = and(idIn(accountId, accountIds), eq(channel, 'messagePush'), lte(nextAt, db.now()))
  return db.selectDistinct({ accountId }).from(deliveries).where(isDue)
}

export async function hintMessagePushes(ctx: SystemCtx, due: readonly Id[]): Promise<void> {
  const tasks = due.map((accountId) => ({ accountId, channel: 'messagePush' as const }))
  if (tasks.length === 0) return
  await withTimeout(enqueue(ctx, deliverTask, tasks), HINT_TIMEOUT_MS).catch((error: unknown) =>
    ctx.log.warn('pushes about messages wait for the next minute', { error }),
  )
}
