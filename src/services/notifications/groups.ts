import {
  and,
  between,
  count,
  desc,
  eq,
  exists,
  gt,
  isNotNull,
  not,
  notExists,
  type SQL,
  type SQLWrapper,
  sql,
} from 'drizzle-orm'
import { alias } from 'drizzle-orm/sqlite-core'
import type { UserCtx } from '../../platform/context.ts'
import { all, any, query as builder, either, flag, one } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, preparedSeek, type Seek, seek } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { notFound } from '../../platform/failures.ts'
import { blockBetween } from '../accounts/policy.ts'
import { followers } from '../accounts/tables.ts'
import { type Account, loadListedAccounts } from '../accounts/views.ts'
import { likes } from '../posts/tables.ts'
import { readAt } from './queries.ts'
import { type Kind, notifications } from './tables.ts'
import { loadSubjects, MAX_COUNTED, type NotificationGroup, type Row } from './views.ts'

const member = alias(notifications, 'member')

type Columns = Record<'accountId' | 'actorId' | 'kind' | 'postId', SQLWrapper>

/** Whether the actor is neither hidden nor blocked. The marks of likes and follows say what is hidden, as in other counts. */
function isShown({ accountId, actorId, kind, postId }: Columns): SQL {
  const like = and(eq(kind, 'like'), eq(likes.postId, postId), eq(likes.accountId, actorId), eq(likes.hidden, true))
  const follow = and(
    eq(kind, 'follow'),
    eq(followers.accountId, accountId),
    eq(followers.followerId, actorId),
    eq(followers.hidden, true),
  )
  return all(
    not(blockBetween(accountId, actorId)),
    notExists(builder.select(one).from(likes).where(like)),
    notExists(builder.select(one).from(followers).where(follow)),
  )
}

/** The index of groups contains all of these columns. */
const isShownMember = isShown({
  accountId: member.accountId,
  actorId: member.actorId,
  kind: member.kind,
  postId: member.groupId,
})
const hasKind = and(eq(member.accountId, notifications.accountId), eq(member.kind, notifications.kind))
const inGroup = and(hasKind, eq(member.groupId, notifications.groupId), isShownMember)
/** A range, because with an equality SQLite takes the order from the primary key, and reads all notifications. */
const inSortedGroup = and(hasKind, between(member.groupId, notifications.groupId, notifications.groupId), isShownMember)
const isNewest = notExists(
  builder
    .select(one)
    .from(member)
    .where(and(inGroup, gt(member.id, notifications.id))),
)

function nthActor(place: number, name: string) {
  const found = builder
    .select({ actorId: member.actorId })
    .from(member)
    .where(inSortedGroup)
    .orderBy(desc(member.groupId), desc(member.id))
    .limit(1)
    .offset(place)
  return either<Id | null>(isNotNull(notifications.groupId), found, null)
    .mapWith(notifications.actorId)
    .as<Id | null>(name)
}

function memberCount() {
  const counted = builder.select(one).from(member).where(inGroup).limit(MAX_COUNTED).as('counted')
  return either<number>(isNotNull(notifications.groupId), builder.select({ members: count() }).from(counted), 1).as(
    'members',
  )
}

type Variant = Seek['variant'] & { isOfKind: boolean }

const preparedGroups = prepared(({ isOfKind, ...variant }: Variant) => {
  const viewerId = sql.placeholder('viewerId')
  const from = preparedSeek(notifications.id, variant)
  const unreadMember = builder
    .select(one)
    .from(member)
    .where(and(inSortedGroup, gt(member.arrivedAt, readAt(viewerId))))
  return builder
    .select({
      id: notifications.id,
      kind: notifications.kind,
      actorId: notifications.actorId,
      postId: notifications.postId,
      rootId: notifications.rootId,
      unread: flag(any(gt(notifications.arrivedAt, readAt(viewerId)), exists(unreadMember)), 'unread'),
      second: nthActor(1, 'second'),
      third: nthActor(2, 'third'),
      members: memberCount(),
    })
    .from(notifications)
    .where(
      and(
        eq(notifications.accountId, viewerId),
        isOfKind ? eq(notifications.kind, sql.placeholder('kind')) : undefined,
        isShown(notifications),
        isNewest,
        from.where,
      ),
    )
    .orderBy(from.order(notifications.id))
    .limit(from.limit)
})

type GroupRow = Row & { second: Id | null; third: Id | null; members: number }

/** A group is listed where its newest member is, and only there: pages neither repeat nor omit a group. */
export async function listNotificationGroups(
  ctx: UserCtx,
  { kind, ...query }: PageQuery & { kind?: Kind },
): Promise<Page<NotificationGroup>> {
  const { id } = ctx.viewer
  const from = await seek(ctx, query, `notification groups ${kind ?? ''} of ${id}`, notifications.id)
  const variant = { ...from.variant, isOfKind: kind !== undefined }
  const values = { viewerId: Number(id), kind: kind ?? '', ...from.values }
  const rows = await preparedGroups(ctx.db.shardOf(id), variant, values)
  return loadPage(ctx, from, rows, (kept) => present(ctx, kept))
}

async function present(ctx: UserCtx, rows: readonly GroupRow[]): Promise<Map<Id, NotificationGroup>> {
  const actorsOf = ({ actorId, second, third }: GroupRow) => [actorId, second, third].filter((id) => id !== null)
  const found = await loadSubjects(ctx, rows, actorsOf)
  const views = found.flatMap(({ row, actors, view }): NotificationGroup[] =>
    actors.length > 0 ? [{ ...view, actors, actorCount: row.members }] : [],
  )
  return new Map(views.map((group) => [group.id, group]))
}

/** Throws `not_found` for a notification that is not in a group, and for one that the viewer may not see. */
export async function listGroupActors(
  ctx: UserCtx,
  { notificationId, ...query }: PageQuery & { notificationId: Id },
): Promise<Page<Account>> {
  const { id: viewerId } = ctx.viewer
  const db = ctx.db.shardOf(viewerId)
  const { kind, groupId } = notifications
  const own = and(eq(notifications.accountId, viewerId), eq(notifications.id, notificationId))
  const [group] = await db
    .select({ kind, groupId })
    .from(notifications)
    .where(and(own, isShown(notifications)))
  if (!group?.groupId) throw notFound()
  const inSame = and(eq(kind, group.kind), eq(groupId, group.groupId))
  const from = await seek(ctx, query, `actors of ${viewerId} ${group.kind} ${group.groupId}`, notifications.id)
  const rows = await db
    .select({ id: notifications.id, accountId: notifications.actorId })
    .from(notifications)
    .where(and(eq(notifications.accountId, viewerId), inSame, isShown(notifications), from.where))
    .orderBy(from.order(notifications.id))
    .limit(from.limit)
  return loadPage(ctx, from, rows, (kept) => loadListedAccounts(ctx, kept))
}
