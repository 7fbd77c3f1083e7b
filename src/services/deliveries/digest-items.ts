import { and, eq, gt, notExists } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import { timeOf } from '../../platform/data/ids.ts'
import { notifications } from '../notifications/tables.ts'
import type { Notification } from '../notifications/views.ts'
import { lengthOf, readDigest } from './digests.ts'
import type { Item } from './items.ts'
import { actions } from './notification-items.ts'
import type { Claimed } from './rows.ts'
import { deliveries } from './tables.ts'
import { readUnread } from './wanted.ts'

const MAX_ROWS = 200
const MAX_ITEMS = 20

/** What arrived in the period of the newest digest that is due, is unread and was not mailed: handles, and no texts. */
export async function readDigestItems(ctx: SystemCtx, { accountId, newest }: Claimed): Promise<Item[]> {
  const digest = await readDigest(ctx, accountId)
  const [deliveryId] = newest
  if (!digest || !deliveryId) return []
  const mail = and(
    eq(deliveries.accountId, accountId),
    eq(deliveries.eventId, notifications.id),
    eq(deliveries.channel, 'mail'),
    eq(deliveries.state, 'sent'),
  )
  const isNew = and(
    gt(notifications.arrivedAt, timeOf(deliveryId) - lengthOf(digest.every)),
    notExists(query.select(one).from(deliveries).where(mail)),
  )
  const unread = await readUnread(ctx, accountId, isNew, MAX_ROWS)
  const groups = Map.groupBy(unread, ({ id, kind, post }) => {
    if (kind === 'follow') return kind
    return kind === 'like' ? `like ${post?.id}` : id
  })
  return [...groups.values()].slice(0, MAX_ITEMS).map((group) => itemOf(group, deliveryId))
}

function itemOf([first, ...others]: Notification[], id: Item['id']): Item {
  const { kind, post, actor } = first!
  const rest = others.length === 1 ? ' and 1 other' : ` and ${others.length} others`
  return {
    id,
    kind: 'digest',
    title: `@${actor.handle}${others.length > 0 ? rest : ''} ${actions[kind]}`,
    quote: null,
    path: post ? `/posts/${post.id}` : `/@${actor.handle}`,
    topic: 'digest',
    tag: id,
    isUrgent: false,
  }
}
