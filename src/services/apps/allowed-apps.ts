import { and, desc, eq, isNotNull, max } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed, flag } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { notFound } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { endAppLogins } from '../identity/statements.ts'
import { handles, sessions } from '../identity/tables.ts'
import { permissionsFor } from './bundles.ts'
import { appRemoved } from './events.ts'
import { appCodes, appGrants, apps } from './tables.ts'
import type { AllowedApps } from './views.ts'

/** Without pages: people allow few apps. The list ends after this many, and removing one shows the next. */
const MAX_SHOWN = 200

/** A login is used when its tokens are refreshed, so reading this needs no write per request. */
export async function listAllowedApps(ctx: UserCtx): Promise<AllowedApps> {
  const { id } = ctx.viewer
  const db = atPrimary(ctx).directory
  const [grants, uses] = await db.batch([
    db
      .select({
        id: apps.id,
        name: apps.name,
        website: apps.website,
        description: apps.description,
        developer: handles.handle,
        scopes: appGrants.scopes,
        allowedAt: appGrants.createdAt,
        isDisabled: flag(isNotNull(apps.disabledAt), 'is_disabled'),
      })
      .from(appGrants)
      .innerJoin(apps, eq(apps.id, appGrants.appId))
      .leftJoin(handles, eq(handles.accountId, apps.ownerId))
      .where(eq(appGrants.accountId, id))
      .orderBy(desc(appGrants.createdAt))
      .limit(MAX_SHOWN),
    db
      .select({ appId: sessions.appId, at: max(sessions.updatedAt) })
      .from(sessions)
      .where(and(eq(sessions.userId, id), isNotNull(sessions.appId)))
      .groupBy(sessions.appId),
  ])
  const lastUse = new Map(uses.map(({ appId, at }) => [appId, at]))
  return {
    items: grants.map(({ scopes, allowedAt, ...app }) => ({
      ...app,
      permissions: permissionsFor(scopes),
      allowedAt: new Date(allowedAt).toISOString(),
      lastUsedAt: lastUse.get(app.id)?.toISOString() ?? null,
    })),
  }
}

/** The tokens of the app and its open requests end at once. */
export async function removeAllowedApp(ctx: UserCtx, { appId }: { appId: Id }): Promise<void> {
  const accountId = ctx.viewer.id
  const own = and(eq(sessions.userId, accountId), eq(sessions.appId, appId))
  const found = await atPrimary(ctx).directory.select({ id: sessions.id }).from(sessions).where(own)
  const sessionIds = found.map(({ id }) => id)
  const actor = await actorOf(ctx)
  const db = ctx.db.directory
  const [removed, , , ended] = await db.commit([
    db
      .delete(appGrants)
      .where(and(eq(appGrants.accountId, accountId), eq(appGrants.appId, appId)))
      .returning({ appId: appGrants.appId }),
    record(db, appRemoved, { accountId, appId, sessionIds, ...actor }, changed),
    db.delete(appCodes).where(and(eq(appCodes.accountId, accountId), eq(appCodes.appId, appId))),
    endAppLogins(db, appId, accountId),
  ])
  if (ended.length > 0)
    await revokeSessions(
      ctx,
      accountId,
      ended.map(({ id }) => id),
    )
  if (removed.length === 0) throw notFound()
}
