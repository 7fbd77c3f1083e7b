import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { unindexAccount } from './indexing.ts'
import { tagFollows } from './tables.ts'
import { withdrawVotes } from './votes.ts'

export async function eraseSearch(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  await withdrawVotes(ctx, { accountId })
  await ctx.db.shardOf(accountId).delete(tagFollows).where(eq(tagFollows.accountId, accountId))
  return unindexAccount(ctx, { accountId })
}
