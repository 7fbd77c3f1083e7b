import { z } from '@hono/zod-openapi'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import {
  atPrimary,
  type Bound,
  type Database,
  fromShards,
  idIn,
  idList,
  idTable,
} from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { notFound } from '../../platform/http/errors.ts'
import { accounts, blocks, followers, follows } from './tables.ts'

export const AccountPath = z.object({ accountId: Id })

/** An account as it stands beside what it did. */
export const AccountSummary = z
  .object({ id: Id, handle: z.string(), displayName: z.string() })
  .openapi('AccountSummary')
export type AccountSummary = z.infer<typeof AccountSummary>

export const Account = AccountSummary.extend({
  bio: z.string(),
  createdAt: z.iso.datetime(),
  followerCount: z.int(),
  followingCount: z.int(),
  postCount: z.int().openapi({ description: 'Posts, without comments' }),
  relation: z
    .object({ following: z.boolean(), followedBy: z.boolean(), blocking: z.boolean() })
    .nullable()
    .openapi({ description: 'How the viewer stands to the account; null for oneself and for anonymous callers' }),
}).openapi('Account')
export type Account = z.infer<typeof Account>
export const AccountPage = pageOf('Account', Account)

export const Block = z
  .object({
    id: Id,
    account: AccountSummary.nullable().openapi({
      description: 'Null where the viewer cannot see it, or there is none',
    }),
  })
  .openapi('Block')
export type Block = z.infer<typeof Block>
export const BlockPage = pageOf('Block', Block)

/** Whether the viewer may know of an account: not suspended, and not one that blocks the viewer. */
function knownTo(viewerId: Bound<Id> | null): SQL {
  const standing = sql`${accounts.suspendedAt} is null`
  if (viewerId === null) return standing
  return sql`${standing} and not ${relates(sql`from ${blocks} where ${blocks.accountId} = ${accounts.id} and ${blocks.otherId} = ${sql.param(viewerId, blocks.otherId)} and ${blocks.byMe} = 1`)}`
}

function relates(where: SQL): SQL<number> {
  return sql<number>`exists (select 1 ${where})`
}

function selectAccounts(db: Database, viewerId: Id | null, ids: readonly Id[]) {
  const viewer = Number(viewerId ?? 0)
  return db
    .select({
      id: accounts.id,
      handle: accounts.handle,
      displayName: accounts.displayName,
      bio: accounts.bio,
      createdAt: accounts.createdAt,
      followerCount: accounts.followerCount,
      followingCount: accounts.followingCount,
      postCount: accounts.postCount,
      following: relates(
        sql`from ${followers} where ${followers.accountId} = ${accounts.id} and ${followers.followerId} = ${viewer}`,
      ).as('following'),
      followedBy: relates(
        sql`from ${follows} where ${follows.followerId} = ${accounts.id} and ${follows.followeeId} = ${viewer}`,
      ).as('followed_by'),
      blocking: relates(
        sql`from ${blocks} where ${blocks.accountId} = ${accounts.id} and ${blocks.otherId} = ${viewer} and ${blocks.byMe} = 0`,
      ).as('blocking'),
    })
    .from(accounts)
    .where(and(idIn(accounts.id, ids), knownTo(viewerId)))
}

/** The accounts idIn `ids` that the viewer may know of: one query per shard. */
export async function loadAccounts(ctx: Ctx, ids: readonly Id[]): Promise<Map<Id, Account>> {
  const viewerId = ctx.viewer?.id ?? null
  const found = await fromShards(ctx.db, ids, (db, mine) => selectAccounts(db, viewerId, mine))
  const shown = found.map(({ createdAt, following, followedBy, blocking, ...rest }): Account => {
    const relation = { following: Boolean(following), followedBy: Boolean(followedBy), blocking: Boolean(blocking) }
    const isOther = viewerId !== null && viewerId !== rest.id
    return { ...rest, createdAt: new Date(createdAt).toISOString(), relation: isOther ? relation : null }
  })
  return new Map(shown.map((account) => [account.id, account]))
}

const preparedRefs = prepared((db, { hasViewer, isOne }: { hasViewer: boolean; isOne: boolean }) => {
  const known = knownTo(hasViewer ? sql.placeholder('viewerId') : null)
  const ids = sql.placeholder('ids')
  const columns = { id: accounts.id, handle: accounts.handle, displayName: accounts.displayName }
  if (isOne)
    return db
      .select(columns)
      .from(accounts)
      .where(and(eq(accounts.id, ids), known))
  const found = idTable(db, ids)
  return db.select(columns).from(found).innerJoin(accounts, eq(accounts.id, found.id)).where(known)
})

/** The accounts idIn `ids` that the viewer may know of, as they stand beside what they did. */
export async function loadAccountSummaries(ctx: Ctx, ids: readonly Id[]): Promise<Map<Id, AccountSummary>> {
  const viewerId = ctx.viewer?.id ?? null
  const found = await fromShards(ctx.db, ids, (db, mine) => {
    const isOne = mine.length === 1
    const values = { viewerId: Number(viewerId), ids: isOne ? Number(mine[0]) : idList(mine) }
    return preparedRefs(db, { hasViewer: viewerId !== null, isOne }, values)
  })
  return new Map(found.map((account) => [account.id, account]))
}

/** When the account was suspended, epoch ms, as the truth has it at this moment; null for one that is not. */
export async function readSuspension(ctx: SystemCtx, accountId: Id): Promise<number | null> {
  const [account] = await atPrimary(ctx)
    .shardOf(accountId)
    .select({ suspendedAt: accounts.suspendedAt })
    .from(accounts)
    .where(eq(accounts.id, accountId))
  return account?.suspendedAt ?? null
}

/** Throws `not_found` unless the viewer may know of the account. */
export async function requireAccount(ctx: Ctx, accountId: Id): Promise<void> {
  const [row] = await ctx.db
    .shardOf(accountId)
    .select({ id: accounts.id })
    .from(accounts)
    .where(and(eq(accounts.id, accountId), knownTo(ctx.viewer?.id ?? null)))
  if (!row) throw notFound()
}
