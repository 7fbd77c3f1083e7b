import { z } from '@hono/zod-openapi'
import { and, eq, isNotNull, isNull, ne, or } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { cleanText, describeBounds, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { invalid, notFound } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { mailIfChanged } from '../identity/statements.ts'
import { endLoginsOf } from './ending.ts'
import { appDisabled, appEnabled, appLoginsToEnd } from './events.ts'
import { apps } from './tables.ts'

const bounds = { characters: 300, bytes: 6_000 }

export const AppDisabling = z
  .strictObject({
    reason: z
      .string()
      .trim()
      .min(1)
      .openapi({ ...describeBounds(bounds), description: 'Its developer reads it' }),
  })
  .openapi('AppDisabling')

type Disabling = { appId: Id; reason: string }

/** From now on, the app gets no tokens, and those that it has end within seconds. What people allowed it stays. */
export async function disableApp(ctx: UserCtx, { appId, reason: given }: Disabling): Promise<void> {
  const reason = cleanText('reason', given)
  if (reason === '') throw invalid('reason', 'is empty')
  requireLength('reason', reason, bounds)
  const { ownerId, name } = await readApp(ctx, appId)
  const act = { accountId: ownerId, appId, ...(await actorOf(ctx)) }
  const db = ctx.db.directory
  const disabledAt = ctx.now()
  const differs = or(isNull(apps.disabledAt), ne(apps.disabledReason, reason))
  await db.commit([
    db
      .update(apps)
      .set({ disabledAt, disabledReason: reason })
      .where(and(eq(apps.id, appId), differs)),
    record(db, appDisabled, act, changed),
    record(db, appLoginsToEnd, { appId, until: disabledAt }, changed),
    ...(ownerId ? mailIfChanged(db, ownerId, 'app-disabled', `${name}\n${reason}`) : []),
  ])
  await endLoginsOf(ctx, { appId, until: disabledAt })
}

/** People whom the app asks need not allow it again. Its former tokens stay void. */
export async function enableApp(ctx: UserCtx, { appId }: { appId: Id }): Promise<void> {
  const { ownerId, name } = await readApp(ctx, appId)
  const act = { accountId: ownerId, appId, ...(await actorOf(ctx)) }
  const db = ctx.db.directory
  await db.commit([
    db
      .update(apps)
      .set({ disabledAt: null, disabledReason: null })
      .where(and(eq(apps.id, appId), isNotNull(apps.disabledAt))),
    record(db, appEnabled, act, changed),
    ...(ownerId ? mailIfChanged(db, ownerId, 'app-enabled', name) : []),
  ])
}

async function readApp(ctx: UserCtx, appId: Id) {
  const [app] = await atPrimary(ctx)
    .directory.select({ ownerId: apps.ownerId, name: apps.name })
    .from(apps)
    .where(eq(apps.id, appId))
  if (!app) throw notFound()
  return app
}
