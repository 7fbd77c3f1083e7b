import { z } from '@hono/zod-openapi'
import { and, eq, exists, inArray, isNull, lte, not, or, type SQL } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { any, failUnless, one, query, refusals, violates } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { destroyKeys } from '../../platform/security/account-keys.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { handleChanged } from './events.ts'
import { handleChangedRecently, handleTaken } from './failures.ts'
import { syncHandle } from './handles.ts'
import { readIdentity } from './identity.ts'
import { FORMER_HANDLE_DAYS, HANDLE_CHANGE_DAYS } from './lifetimes.ts'
import { handleChangeLimit } from './limits.ts'
import { queueMail } from './mails.ts'
import { isKept } from './names.ts'
import { isReserved } from './reserved-handles.ts'
import { formerHandles, handles, users } from './tables.ts'
import { type Identity, TypedHandle } from './views.ts'

export const HandleChange = z.strictObject({ handle: TypedHandle }).openapi('HandleChange')
type HandleChange = z.infer<typeof HandleChange>

/** Repeating it changes nothing. */
export async function changeHandle(ctx: UserCtx, { handle }: HandleChange): Promise<Identity> {
  if (isReserved(handle)) throw invalid('handle', 'is reserved')
  const accountId = ctx.viewer.id
  await spend(ctx, handleChangeLimit, accountId)
  const [current] = await atPrimary(ctx)
    .directory.select({ handle: handles.handle })
    .from(handles)
    .where(eq(handles.accountId, accountId))
  if (!current) throw notFound()
  if (current.handle !== handle) await replaceHandle(ctx, accountId, { from: current.handle, to: handle })
  return readIdentity(ctx)
}

async function replaceHandle(ctx: UserCtx, accountId: Id, { from, to }: { from: string; to: string }): Promise<void> {
  const actor = await actorOf(ctx)
  const db = ctx.db.directory
  const now = ctx.now()
  const lapsed = and(eq(handles.handle, to), lte(handles.reservedUntil, now))
  const former = { accountId, until: now + FORMER_HANDLE_DAYS * DAY_MS }
  const [, , , ended] = await db
    .commit([
      failUnless(db, mayChange(accountId, to, now), 'too_soon'),
      failUnless(db, not(isKept(db, to, accountId)), 'taken'),
      db.delete(users).where(inArray(users.id, query.select({ id: handles.accountId }).from(handles).where(lapsed))),
      db.delete(handles).where(lapsed).returning({ id: handles.accountId }),
      db
        .insert(formerHandles)
        .values({ handle: from, ...former })
        .onConflictDoUpdate({ target: formerHandles.handle, set: former }),
      db.delete(formerHandles).where(eq(formerHandles.handle, to)),
      db
        .update(handles)
        .set({ handle: to })
        .where(and(eq(handles.accountId, accountId), eq(handles.handle, from))),
      db.update(users).set({ handleChangedAt: now }).where(eq(users.id, accountId)),
      record(db, handleChanged, { accountId, ...actor }),
      ...queueMail(db, { accountId, kind: 'handle-changed', detail: from }),
    ])
    .catch(refuse)
  const ids = ended.map(({ id }) => id)
  ctx.defer(() => destroyKeys(ctx, ids))
  await syncHandle(ctx, { accountId })
}

/** Taking back an own former handle is always possible: a stranger may have changed it. */
function mayChange(accountId: Id, to: string, now: number): SQL {
  const changedAt = users.handleChangedAt
  const isDue = or(isNull(changedAt), lte(changedAt, now - HANDLE_CHANGE_DAYS * DAY_MS))
  const isOwn = and(eq(formerHandles.handle, to), eq(formerHandles.accountId, accountId))
  const due = query
    .select(one)
    .from(users)
    .where(and(eq(users.id, accountId), isDue))
  return any(exists(due), exists(query.select(one).from(formerHandles).where(isOwn)))
}

function refuse(error: unknown): never {
  const taken = () => new Failure(handleTaken)
  if (violates(error, handles.handle)) throw taken()
  const detail = `It can be changed once in ${HANDLE_CHANGE_DAYS} days`
  return refusals({ too_soon: () => new Failure(handleChangedRecently, detail), taken })(error)
}
