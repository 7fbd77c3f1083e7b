import { and, eq, isNull } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { hideDeleted } from '../accounts/statements.ts'
import { deletionCancelled } from './events.ts'
import { deletions } from './tables.ts'

/** Once the erasure has started, this changes nothing, because `beginErasure` has set `startedAt`. */
export function cancelDeletion(db: Database, accountId: Id, client: string | null) {
  return [
    db.delete(deletions).where(and(eq(deletions.accountId, accountId), isNull(deletions.startedAt))),
    record(db, deletionCancelled, { accountId, client }, changed),
  ] as const
}

/** Hides an account that waits for its erasure, or shows it. Called before a response, and again by a subscription. */
export async function syncHidden(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  await mirror(
    () => requestedAt(ctx, accountId),
    (deletedAt) => db.commit(hideDeleted(db, accountId, deletedAt)),
  )
}

async function requestedAt(ctx: SystemCtx, accountId: Id): Promise<number | null> {
  const [deletion] = await atPrimary(ctx)
    .directory.select({ requestedAt: deletions.requestedAt })
    .from(deletions)
    .where(eq(deletions.accountId, accountId))
  return deletion?.requestedAt ?? null
}
