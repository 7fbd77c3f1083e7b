import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import {
  classify,
  type ExportEntry,
  iso,
  jsonFile,
  jsonList,
  type PersonalData,
  pagesOf,
} from '../../platform/personal-data.ts'
import { readDigest } from './digests.ts'
import { openPushes } from './push-subscriptions.ts'
import {
  deliveries,
  deliveryTurns,
  digests,
  lanes,
  notificationPreferences,
  notificationRules,
  pushSubscriptions,
  suppressedAddresses,
} from './tables.ts'

export const deliveryData: PersonalData = {
  inventory: {
    ...classify(notificationRules, { accountId: 'owner', since: 'exported', rules: 'exported' }),
    ...classify(notificationPreferences, {
      accountId: 'owner',
      timeZone: 'exported',
      quietFrom: 'exported',
      quietTo: 'exported',
      includeText: 'exported',
      includeMessages: 'exported',
    }),
    ...classify(deliveries, {
      accountId: 'owner',
      eventId: 'exported',
      channel: 'exported',
      state: 'exported',
      attempt: 'technical',
      nextAt: 'technical',
      reached: 'technical',
      conversationId: 'exported',
      seq: 'technical',
      authorId: 'technical',
      firstAt: 'technical',
    }),
    ...classify(digests, {
      accountId: 'owner',
      every: 'exported',
      timeZone: 'exported',
      minutes: 'exported',
      askedAt: 'exported',
      nextAt: 'technical',
    }),
    ...classify(deliveryTurns, { accountId: 'owner', channel: 'exported', takenAt: 'exported', lease: 'technical' }),
    ...classify(suppressedAddresses, { accountId: 'owner', address: 'secret' }),
    'queue BOUNCES': { body: 'technical' },
    ...classify(pushSubscriptions, {
      accountId: 'owner',
      id: 'exported',
      sessionId: 'secret',
      endpointHash: 'secret',
      sealed: 'exported',
      issuedAt: 'technical',
      device: 'exported',
    }),
  },
  exported,
  erase: eraseDeliveries,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const db = ctx.db.shardOf(accountId)
  const [[preferences], rules, turns, devices] = await db.batch([
    db.select().from(notificationPreferences).where(eq(notificationPreferences.accountId, accountId)),
    db.select().from(notificationRules).where(eq(notificationRules.accountId, accountId)),
    db.select().from(deliveryTurns).where(eq(deliveryTurns.accountId, accountId)),
    db.select().from(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId)),
  ])
  yield jsonFile(
    'notification-rules.json',
    rules.map(({ since, rules }) => ({ since: iso(since), rules })),
  )
  if (preferences) {
    const { accountId: _, ...settings } = preferences
    yield jsonFile('notification-preferences.json', settings)
  }
  yield jsonFile(
    'delivery-turns.json',
    turns.map(({ channel, takenAt }) => ({ channel, takenAt: iso(takenAt) })),
  )
  const digest = await readDigest(ctx, accountId)
  if (digest) {
    const { every, timeZone, minutes, askedAt } = digest
    yield jsonFile('digest.json', { every, timeZone, minutes, askedAt: iso(askedAt) })
  }
  const subscriptions = await openPushes(ctx, accountId, devices)
  if (devices.length > 0) yield jsonFile('push-subscriptions.json', subscriptions)
  yield jsonList('deliveries.json', own(ctx, accountId))
}

async function* own(ctx: SystemCtx, accountId: Id) {
  const { eventId: id, channel, state, conversationId } = deliveries
  for (const one of lanes) {
    const read = (after: Id, limit: number) =>
      ctx.db
        .shardOf(accountId)
        .select({ id, channel, state, conversationId })
        .from(deliveries)
        .where(and(eq(deliveries.accountId, accountId), eq(channel, one), gt(id, after)))
        .orderBy(asc(id))
        .limit(limit)
    for await (const rows of pagesOf(read))
      yield rows.map(({ id, conversationId, ...row }) =>
        conversationId === null ? { notificationId: id, ...row } : { conversationId, ...row },
      )
  }
}

async function eraseDeliveries(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db.delete(notificationPreferences).where(eq(notificationPreferences.accountId, accountId)),
    db.delete(notificationRules).where(eq(notificationRules.accountId, accountId)),
    db.delete(digests).where(eq(digests.accountId, accountId)),
    db.delete(deliveryTurns).where(eq(deliveryTurns.accountId, accountId)),
    db.delete(suppressedAddresses).where(eq(suppressedAddresses.accountId, accountId)),
    db.delete(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId)),
  ])
  const key = [deliveries.accountId, deliveries.eventId, deliveries.channel]
  return deleteInSteps(db, deliveries, key, eq(deliveries.accountId, accountId))
}
