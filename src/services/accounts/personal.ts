import { and, asc, eq, gt, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, isoTimeOf } from '../../platform/data/ids.ts'
import {
  classify,
  type ExportEntry,
  iso,
  jsonFile,
  jsonList,
  type PersonalData,
  pagesOf,
} from '../../platform/personal-data.ts'
import { eraseAccount } from './erasure.ts'
import { accounts, blocks, followers, follows } from './tables.ts'
import { namesFor } from './views.ts'

export const accountData: PersonalData = {
  inventory: {
    ...classify(accounts, {
      id: 'owner',
      handle: 'exported',
      displayName: 'exported',
      bio: 'exported',
      createdAt: 'exported',
      suspendedAt: 'exported',
      deletedAt: 'technical',
      followerCount: 'technical',
      followingCount: 'technical',
      postCount: 'technical',
      publicPostCount: 'technical',
      postDay: 'technical',
      postsToday: 'technical',
      imageDay: 'technical',
      imagesToday: 'technical',
      imageBytesToday: 'technical',
      avatarId: 'exported',
      headerId: 'exported',
    }),
    ...classify(follows, { followerId: 'owner', id: 'exported', followeeId: 'exported', hidden: 'technical' }),
    ...classify(followers, { accountId: 'owner', followerId: 'exported', id: 'exported', hidden: 'technical' }),
    // A block by another account is not exported, because the API does not reveal it either.
    ...classify(blocks, { accountId: 'owner', otherId: 'exported', byMe: 'technical', id: 'exported' }),
  },
  exported,
  erase: eraseAccount,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const db = ctx.db.shardOf(accountId)
  const [account] = await db.select().from(accounts).where(eq(accounts.id, accountId))
  if (!account) return
  const { id, handle, displayName, bio, avatarId, headerId } = account
  const times = { createdAt: iso(account.createdAt), suspendedAt: iso(account.suspendedAt) }
  yield jsonFile('account.json', { id, handle, displayName, bio, ...times, avatarId, headerId })
  const relations = (path: string, read: (after: Id, limit: number) => PromiseLike<Relation[]>) =>
    jsonList(path, named(ctx, accountId, pagesOf(read)))
  yield relations('following.json', (after, limit) =>
    db
      .select({ id: follows.id, otherId: follows.followeeId })
      .from(follows)
      .where(and(eq(follows.followerId, accountId), gt(follows.id, after), ne(follows.followeeId, accountId)))
      .orderBy(asc(follows.id))
      .limit(limit),
  )
  yield relations('followers.json', (after, limit) =>
    db
      .select({ id: followers.id, otherId: followers.followerId })
      .from(followers)
      .where(and(eq(followers.accountId, accountId), gt(followers.id, after)))
      .orderBy(asc(followers.id))
      .limit(limit),
  )
  yield relations('blocks.json', (after, limit) =>
    db
      .select({ id: blocks.id, otherId: blocks.otherId })
      .from(blocks)
      .where(and(eq(blocks.accountId, accountId), eq(blocks.byMe, true), gt(blocks.id, after)))
      .orderBy(asc(blocks.id))
      .limit(limit),
  )
}

type Relation = { id: Id; otherId: Id }

async function* named(ctx: SystemCtx, accountId: Id, pages: AsyncIterable<Relation[]>) {
  for await (const rows of pages) {
    const name = await namesFor(
      ctx,
      accountId,
      rows.map(({ otherId }) => otherId),
    )
    yield rows.map(({ id, otherId }) => ({ id, account: name(otherId), since: isoTimeOf(id) }))
  }
}
