import { and, eq, isNull } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { handles, users } from '../identity/tables.ts'
import { deletions } from '../privacy/tables.ts'
import { apps } from './tables.ts'

/** An app, and the handle of its developer; null if it registered itself. */
export type KnownApp = typeof apps.$inferSelect & { developer: string | null }

/** Null for an unknown app, and for one whose developer is leaving or suspended. */
export async function findApp(ctx: SystemCtx, clientId: string): Promise<KnownApp | null> {
  const id = Id.safeParse(clientId)
  if (!id.success) return null
  const [found] = await atPrimary(ctx)
    .directory.select({ app: apps, developer: handles.handle })
    .from(apps)
    .leftJoin(handles, eq(handles.accountId, apps.ownerId))
    .leftJoin(deletions, eq(deletions.accountId, apps.ownerId))
    .leftJoin(users, and(eq(users.id, apps.ownerId), eq(users.suspended, true)))
    .where(and(eq(apps.id, id.data), isNull(deletions.accountId), isNull(users.id)))
  return found ? { ...found.app, developer: found.developer } : null
}
