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

const isShownMember = isShown({
  accountId: member.accountId,
  actorId: member.actorId,
  kind: member.kind,
  postId: member.groupId,
})

/** The rows that a page looks at, at most: those of a group with more members than that are on several pages. */
const MAX_WALKED = 1_000

type Variant = Seek['variant'] & { isOfKind: boolean }

/** Stops when the page is full, as the rows are read in the order of the primary key, which is that of the list. */
function walk({ isOfKind, ...variant }: Variant) {
  const from = preparedSeek(notifications.id, variant)
  const { id, accountId, kind, actorId, postId, rootId, groupId, arrivedAt } = notifications
  const own = and(eq(accountId, sql.placeholder('viewerId')), from.where)
  const walked = builder
    .select({ id, accountId, kind, actorId, postId, rootId, groupId, arrivedAt })
    .from(notifications)
    .where(own)
    .orderBy(from.order(id))
    .limit(MAX_WALKED)
    .as('walked')
  const isListed = and(
    isOfKind ? eq(walked.kind, sql.placeholder('kind')) : undefined,
    isShown(walked),
    isNewest(walked),
  )
  return { walked, isListed, limit: from.limit }
}

type Walked = ReturnType<typeof walk>['walked']

const inGroupOf = (row: Walked) =>
  and(eq(member.accountId, row.accountId), eq(member.kind, row.kind), eq(member.groupId, row.groupId), isShownMember)

/** A range, because with an equality SQLite takes the order from the primary key, and reads all notifications. */
const inSortedGroupOf = (row: Walked) =>
  and(
    eq(member.accountId, row.accountId),
    eq(member.kind, row.kind),
    between(member.groupId, row.groupId, row.groupId),
    isShownMember,
  )

function isNewest(row: Walked): SQL {
  const newer = and(inGroupOf(row), gt(member.id, row.id))
  return notExists(builder.select(one).from(member).where(newer))
}

function nthActor(row: Walked, place: number, name: string) {
  const found = builder
    .select({ actorId: member.actorId })
    .from(member)
    .where(inSortedGroupOf(row))
    .orderBy(desc(member.groupId), desc(member.id))
    .limit(1)
    .offset(place)
  return either<Id | null>(isNotNull(row.groupId), found, null).mapWith(notifications.actorId).as<Id | null>(name)
}

const counted = (row: Walked) =>
  builder
    .select({ arrivedAt: member.arrivedAt })
    .from(member)
    .where(inSortedGroupOf(row))
    .orderBy(desc(member.groupId), desc(member.id))
    .limit(MAX_COUNTED)
    .as('counted')

const preparedGroups = prepared((variant: Variant) => {
  const viewerId = sql.placeholder('viewerId')
  const { walked, isListed, limit } = walk(variant)
  const members = builder.select({ members: count() }).from(counted(walked))
  const newest = counted(walked)
  const unread = builder
    .select(one)
    .from(newest)
    .where(gt(newest.arrivedAt, readAt(viewerId)))
  return builder
    .select({
      id: walked.id,
      kind: walked.kind,
      actorId: walked.actorId,
      postId: walked.postId,
      rootId: walked.rootId,
      unread: flag(any(gt(walked.arrivedAt, readAt(viewerId)), exists(unread)), 'unread'),
      second: nthActor(walked, 1, 'second'),
      third: nthActor(walked, 2, 'third'),
      members: either<number>(isNotNull(walked.groupId), members, 1).as('members'),
    })
    .from(walked)
    .where(isListed)
    .limit(limit)
})

type GroupRow = Row & { second: Id | null; third: Id | null; members: number }

/** A group is listed where its newest member is, so a page repeats no group of an earlier page that grows meanwhile. */
export async function listNotificationGroups(
  ctx: UserCtx,
  { kind, ...query }: PageQuery & { kind?: Kind },
): Promise<Page<NotificationGroup>> {
  const { id } = ctx.viewer
  const from = await seek(ctx, query, `notification groups ${kind ?? ''} of ${id}`, notifications.id)
  const variant = { ...from.variant, isOfKind: kind !== undefined }
  const values = { viewerId: Number(id), kind: kind ?? '', ...from.values }
  const rows = await preparedGroups(ctx.db.shardOf(id), variant, values)
  const end = rows.length < from.limit ? await endOfWalk(ctx, from) : null
  return loadPage(ctx, from, rows, (kept) => present(ctx, kept), end)
}

/** The last row that a page with few groups has looked at, if there are more rows behind it. */
async function endOfWalk(ctx: UserCtx, from: Seek): Promise<Id | null> {
  const { id } = notifications
  const own = and(eq(notifications.accountId, ctx.viewer.id), from.where)
  const [last] = await ctx.db
    .shardOf(ctx.viewer.id)
    .select({ id })
    .from(notifications)
    .where(own)
    .orderBy(from.order(id))
    .limit(1)
    .offset(MAX_WALKED - 1)
  return last?.id ?? null
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
  const from = await seek(ctx, query, `actors of ${viewerId} ${notificationId}`, notifications.id)
  const db = ctx.db.shardOf(viewerId)
  const { kind, groupId } = notifications
  const own = and(eq(notifications.accountId, viewerId), eq(notifications.id, notificationId))
  const [group] = await db
    .select({ kind, groupId })
    .from(notifications)
    .where(and(own, isShown(notifications)))
  if (!group?.groupId) throw notFound()
  const inSame = and(eq(kind, group.kind), between(groupId, group.groupId, group.groupId))
  const rows = await db
    .select({ id: notifications.id, accountId: notifications.actorId })
    .from(notifications)
    .where(and(eq(notifications.accountId, viewerId), inSame, isShown(notifications), from.where))
    .orderBy(from.order(groupId), from.order(notifications.id))
    .limit(from.limit)
  return loadPage(ctx, from, rows, (kept) => loadListedAccounts(ctx, kept))
}
