import { z } from '@hono/zod-openapi'
import { and, eq, exists, sql } from 'drizzle-orm'
import { asViewer, type Ctx, type SystemCtx } from '../../platform/context.ts'
import { flag, one, query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { Id, toId } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { fromShards, idIn, idList, idTable } from '../../platform/data/shards.ts'
import { isBlockedBy, isFollowedBy, knownTo } from './policy.ts'
import { accounts, follows, summaryColumns } from './tables.ts'

export const AccountPath = z.object({ accountId: Id })

export const AccountSummary = z
  .object({
    id: Id,
    handle: z.string(),
    displayName: z.string(),
    avatarUrl: z
      .string()
      .nullable()
      .openapi({
        description:
          'Relative to the API’s origin: 400 x 400 pixels, or 96 x 96 if its last segment, `image`, is replaced with ' +
          '`thumbnail`. Null if the account has no avatar',
      }),
  })
  .openapi('AccountSummary', {
    example: { handle: 'ada', displayName: 'Ada Lovelace', avatarUrl: '/v1/media/1970324836975105/image' },
  })
export type AccountSummary = z.infer<typeof AccountSummary>

const Relation = z
  .object({ following: z.boolean(), followedBy: z.boolean(), blocking: z.boolean() })
  .openapi('Relation', { example: { following: true } })

export const Account = AccountSummary.extend({
  bio: z.string(),
  headerUrl: z.string().nullable().openapi({
    description: 'Like `avatarUrl`, for the header image of the profile: 1500 x 500 pixels, or 600 x 200',
  }),
  createdAt: z.iso.datetime(),
  followerCount: z.int(),
  followingCount: z.int(),
  postCount: z.int().openapi({
    description:
      'The posts on the account’s page, without comments: all for its followers and itself, public ones for others',
  }),
  relation: z.union([Relation, z.null()]).openapi({
    description: 'The viewer’s relation to the account; null for the viewer’s own account and for anonymous callers',
  }),
}).openapi('Account', {
  example: {
    bio: 'I write programs for engines that do not exist yet.',
    headerUrl: '/v1/media/1970324836976129/image',
    followerCount: 128,
    followingCount: 42,
    postCount: 7,
  },
})
export type Account = z.infer<typeof Account>
export const AccountPage = pageOf('Account', Account)

export const Block = z
  .object({
    id: Id,
    account: AccountSummary.nullable().openapi({
      description: 'Null when the viewer may not see the account, or it does not exist',
    }),
  })
  .openapi('Block')
export type Block = z.infer<typeof Block>
export const BlockPage = pageOf('Block', Block)

const imageUrl = (mediaId: Id | null) => mediaId && `/v1/media/${mediaId}/image`

type SummaryRow = { id: Id; handle: string; displayName: string; avatarId: Id | null }

export function presentSummary({ id, handle, displayName, avatarId }: SummaryRow): AccountSummary {
  return { id, handle, displayName, avatarUrl: imageUrl(avatarId) }
}

function selectAccounts(db: Database, viewerId: Id | null, ids: readonly Id[]) {
  const viewer = viewerId ?? toId(0)
  const followsViewer = and(eq(follows.followerId, accounts.id), eq(follows.followeeId, viewer))
  return db
    .select({
      id: accounts.id,
      ...summaryColumns,
      headerId: accounts.headerId,
      bio: accounts.bio,
      createdAt: accounts.createdAt,
      followerCount: accounts.followerCount,
      followingCount: accounts.followingCount,
      postCount: accounts.postCount,
      publicPostCount: accounts.publicPostCount,
      following: flag(isFollowedBy(accounts.id, viewer), 'following'),
      followedBy: flag(exists(query.select(one).from(follows).where(followsViewer)), 'followed_by'),
      blocking: flag(isBlockedBy(accounts.id, viewer), 'blocking'),
    })
    .from(accounts)
    .where(and(idIn(accounts.id, ids), knownTo(viewerId)))
}

/** Leaves out accounts that are hidden from the viewer. One query per shard. */
export async function loadAccounts(ctx: Ctx, ids: readonly Id[]): Promise<Map<Id, Account>> {
  const viewerId = ctx.viewer?.id ?? null
  const rows = await fromShards(ctx.db, ids, (db, group) => selectAccounts(db, viewerId, group))
  const views = rows.map((row): Account => {
    const { createdAt, following, followedBy, blocking, avatarId, headerId, publicPostCount, ...rest } = row
    const relation = { following, followedBy, blocking }
    const isOther = viewerId !== null && viewerId !== rest.id
    return {
      ...rest,
      postCount: following || viewerId === rest.id ? rest.postCount : publicPostCount,
      avatarUrl: imageUrl(avatarId),
      headerUrl: imageUrl(headerId),
      createdAt: new Date(createdAt).toISOString(),
      relation: isOther ? relation : null,
    }
  })
  return new Map(views.map((account) => [account.id, account]))
}

/** For lists that are sorted by the ids of their rows: maps these ids to the accounts. Leaves out hidden accounts. */
export async function loadListedAccounts(
  ctx: Ctx,
  rows: readonly { id: Id; accountId: Id }[],
): Promise<Map<Id, Account>> {
  const known = await loadAccounts(
    ctx,
    rows.map(({ accountId }) => accountId),
  )
  return new Map(
    rows.flatMap(({ id, accountId }) => {
      const account = known.get(accountId)
      return account ? [[id, account] as const] : []
    }),
  )
}

const preparedSummaries = prepared(({ hasViewer, isOne }: { hasViewer: boolean; isOne: boolean }) => {
  const known = knownTo(hasViewer ? sql.placeholder('viewerId') : null)
  const ids = sql.placeholder('ids')
  const columns = { id: accounts.id, ...summaryColumns }
  if (isOne)
    return query
      .select(columns)
      .from(accounts)
      .where(and(eq(accounts.id, ids), known))
  const skeleton = idTable(ids)
  return query.select(columns).from(skeleton).innerJoin(accounts, eq(accounts.id, skeleton.id)).where(known)
})

export async function loadAccountSummaries(ctx: Ctx, ids: readonly Id[]): Promise<Map<Id, AccountSummary>> {
  const viewerId = ctx.viewer?.id ?? null
  const rows = await fromShards(ctx.db, ids, (db, group) => {
    const isOne = group.length === 1
    const values = { viewerId: Number(viewerId), ids: isOne ? Number(group[0]) : idList(group) }
    return preparedSummaries(db, { hasViewer: viewerId !== null, isOne }, values)
  })
  return new Map(rows.map((row) => [row.id, presentSummary(row)]))
}

/** For exports: other accounts as id and handle. The handle is null if `viewerId` may not see the account. */
export async function namesFor(ctx: SystemCtx, viewerId: Id, ids: readonly Id[]) {
  const known = await loadAccountSummaries(asViewer(ctx, viewerId), ids)
  return (id: Id) => ({ id, handle: known.get(id)?.handle ?? null })
}
