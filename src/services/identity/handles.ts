import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { renameAccount } from '../accounts/statements.ts'
import { outlivesCache, toCache } from './queries.ts'
import { formerHandles, handles } from './tables.ts'

/** Copies the handle to the account, and caches all handles that resolve to it. `changeHandle` calls it directly too. */
export async function syncHandle(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const { directory } = atPrimary(ctx)
  const [[current], former] = await directory.batch([
    directory.select({ handle: handles.handle }).from(handles).where(eq(handles.accountId, accountId)),
    directory
      .select({ handle: formerHandles.handle })
      .from(formerHandles)
      .where(and(eq(formerHandles.accountId, accountId), outlivesCache(ctx))),
  ])
  if (!current) return
  const db = ctx.db.shardOf(accountId)
  await db.commit(renameAccount(db, accountId, current.handle))
  await Promise.all([...former, current].map(({ handle }) => toCache(ctx, handle, accountId)))
}
