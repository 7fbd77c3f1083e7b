import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { accountSearch } from './tables.ts'

export async function eraseIndexed(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  await ctx.db.index.delete(accountSearch).where(eq(accountSearch.id, accountId))
  return true
}
