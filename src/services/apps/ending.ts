import { and, eq, exists, isNotNull, lte, not, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { continueWith, record } from '../../platform/events/events.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { readSuspension } from '../accounts/queries.ts'
import { deleteLogins, removeClient } from '../identity/statements.ts'
import { sessions } from '../identity/tables.ts'
import { appLoginsToEnd } from './events.ts'
import { appGrants, apps } from './tables.ts'

const STEP = 100

type Step = { appId: Id; until?: number | undefined }

export async function continueEnding(ctx: SystemCtx, step: Step, eventId: Id): Promise<void> {
  if (!(await endLoginsOf(ctx, step))) await continueWith(ctx.db.directory, eventId, appLoginsToEnd, step)
}

/** People must allow the apps of the developer again after the suspension. */
export async function endAppsOfSuspended(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  if ((await readSuspension(ctx, accountId)) === null) return
  const db = ctx.db.directory
  const own = await atPrimary(ctx).directory.select({ id: apps.id }).from(apps).where(eq(apps.ownerId, accountId))
  const [first, ...rest] = own.map(({ id: appId }) => record(db, appLoginsToEnd, { appId }))
  if (first) await db.commit([first, ...rest])
}

/** The logins to end: all while the app is disabled, otherwise those created until `until`. */
function isToEnd({ appId, until }: Step) {
  const disabled = query
    .select(one)
    .from(apps)
    .where(and(eq(apps.id, appId), isNotNull(apps.disabledAt)))
  const isOver = until === undefined ? undefined : or(lte(sessions.createdAt, new Date(until)), exists(disabled))
  return and(eq(sessions.appId, appId), isOver)
}

const isApp = (appId: Id) => exists(query.select(one).from(apps).where(eq(apps.id, appId)))

/** Ends up to `STEP` logins and grants of an app that gets no more tokens. Returns whether none are left. */
export async function endLoginsOf(ctx: SystemCtx, step: Step): Promise<boolean> {
  const { appId } = step
  const db = atPrimary(ctx).directory
  const [logins, grants] = await db.batch([
    db.select({ id: sessions.id, accountId: sessions.userId }).from(sessions).where(isToEnd(step)).limit(STEP),
    db
      .select({ accountId: appGrants.accountId })
      .from(appGrants)
      .where(eq(appGrants.appId, appId))
      .limit(step.until === undefined ? STEP : 0),
  ])
  // Revoked first: if this is interrupted, the next run finds the rows again.
  await mapConcurrently([...Map.groupBy(logins, ({ accountId }) => accountId)], ([accountId, own]) =>
    revokeSessions(
      ctx,
      accountId,
      own.map(({ id }) => id),
    ),
  )
  const people = grants.map(({ accountId }) => accountId)
  const isLast = logins.length < STEP && grants.length < STEP
  await db.batch([
    deleteLogins(
      db,
      logins.map(({ id }) => id),
    ),
    db.delete(appGrants).where(and(eq(appGrants.appId, appId), idIn(appGrants.accountId, people))),
    ...(isLast ? [removeClient(db, appId, not(isApp(appId)))] : []),
  ])
  return isLast
}
