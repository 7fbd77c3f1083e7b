import { asc, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, type PersonalData } from '../../platform/personal-data.ts'
import { removeClient } from '../identity/statements.ts'
import { endLoginsOf } from './ending.ts'
import { appCodes, appGrants, apps } from './tables.ts'

export const appData: PersonalData = {
  inventory: {
    ...classify(apps, {
      id: 'exported',
      ownerId: 'owner',
      name: 'exported',
      website: 'exported',
      description: 'exported',
      redirectUris: 'exported',
      secret: 'secret',
      createdAt: 'exported',
      redirectsChangedAt: 'technical',
      disabledAt: 'exported',
      disabledReason: 'exported',
    }),
    ...classify(appGrants, {
      accountId: 'owner',
      appId: 'exported',
      scopes: 'exported',
      createdAt: 'exported',
      approvedAt: 'exported',
    }),
    ...classify(appCodes, {
      code: 'secret',
      appId: 'technical',
      accountId: 'owner',
      redirectUri: 'technical',
      scopes: 'technical',
      challenge: 'technical',
      nonce: 'technical',
      authTime: 'technical',
      createdAt: 'technical',
      sessionId: 'technical',
    }),
  },
  exported,
  erase,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const db = ctx.db.directory
  const own = await db.select().from(apps).where(eq(apps.ownerId, accountId)).orderBy(asc(apps.id))
  yield jsonFile(
    'apps.json',
    own.map(({ createdAt, disabledAt, secret: _, ownerId: __, redirectsChangedAt: ___, ...app }) => ({
      ...app,
      registeredAt: iso(createdAt),
      disabledAt: iso(disabledAt),
    })),
  )
  const allowed = await db
    .select({
      appId: appGrants.appId,
      name: apps.name,
      scopes: appGrants.scopes,
      createdAt: appGrants.createdAt,
      approvedAt: appGrants.approvedAt,
    })
    .from(appGrants)
    .leftJoin(apps, eq(apps.id, appGrants.appId))
    .where(eq(appGrants.accountId, accountId))
  yield jsonFile(
    'allowed-apps.json',
    allowed.map(({ createdAt, approvedAt, ...grant }) => ({
      ...grant,
      allowedAt: iso(createdAt),
      approvedAt: iso(approvedAt),
    })),
  )
}

/** Other people's logins with the apps of this person end too, in steps. */
async function erase(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.directory
  const [[app]] = await db.batch([
    db.select({ id: apps.id }).from(apps).where(eq(apps.ownerId, accountId)).limit(1),
    db.delete(appGrants).where(eq(appGrants.accountId, accountId)),
    db.delete(appCodes).where(eq(appCodes.accountId, accountId)),
  ])
  if (!app) return true
  if (await endLoginsOf(ctx, { appId: app.id }))
    await db.batch([db.delete(apps).where(eq(apps.id, app.id)), removeClient(db, app.id)])
  return false
}
