import { and, eq, gt, inArray, notExists } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { firstIdAt, timeOf } from '../../platform/data/ids.ts'
import { notifications } from '../notifications/tables.ts'
import type { Notification } from '../notifications/views.ts'
import { lengthOf, readDigest } from './digests.ts'
import type { Item, Items } from './items.ts'
import { actions } from './notification-items.ts'
import type { Claimed } from './rows.ts'
import { deliveries } from './tables.ts'
import { readUnread } from './wanted.ts'

const MAX_ROWS = 200
const MAX_ITEMS = 20
const MANY = 99

/** What arrived in the period of the newest digest that is due, is unread and was not mailed: handles, and no texts. */
export async function readDigestItems(ctx: SystemCtx, { accountId, newest }: Claimed): Promise<Items> {
  const digest = await readDigest(ctx, accountId)
  const [deliveryId] = newest
  if (!digest || !deliveryId) return { items: [] }
  const since = timeOf(newest.at(-1) ?? deliveryId) - lengthOf(digest.every)
  const mail = and(
    eq(deliveries.accountId, accountId),
    eq(deliveries.eventId, notifications.id),
    eq(deliveries.channel, 'mail'),
    inArray(deliveries.state, ['sent', 'due']),
  )
  const isNew = and(
    gt(notifications.arrivedAt, since),
    // What arrived later than a day after its event is left out, so that the primary key bounds the search.
    gt(notifications.id, firstIdAt(since - DAY_MS)),
    notExists(query.select(one).from(deliveries).where(mail)),
  )
  const unread = await readUnread(ctx, accountId, isNew, MAX_ROWS)
  const groups = Map.groupBy(unread, ({ id, kind, post }) => {
    if (kind === 'follow') return kind
    return kind === 'like' ? `like ${post?.id}` : id
  })
  const items = [...groups.values()].slice(0, MAX_ITEMS).map((group) => itemOf(group, deliveryId))
  return { items, hasMore: groups.size > MAX_ITEMS || unread.length === MAX_ROWS }
}

function itemOf([first, ...others]: Notification[], id: Item['id']): Item {
  const { kind, post, actor } = first!
  const more = others.length > MANY ? 'many' : others.length
  const rest = others.length === 1 ? ' and 1 other' : ` and ${more} others`
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
