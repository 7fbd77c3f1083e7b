import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mirror, record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/http/errors.ts'
import { outranks } from '../../platform/security/access.ts'
import { setSuspended } from '../../platform/security/revocation.ts'
import { users } from '../identity/tables.ts'
import { accountSuspended, suspensionLifted } from './events.ts'
import { accounts } from './tables.ts'
import { readSuspension } from './views.ts'

/**
 * Suspends an account: it and all of its posts disappear at once, and within two seconds it can do nothing more. Whoever
 * has the viewer's role or a higher one cannot be suspended by the viewer: `forbidden`.
 */
export async function suspendAccount(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  if (accountId === ctx.viewer.id) throw invalid('accountId', 'is your own')
  await requireBelow(ctx, accountId)
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db
      .update(accounts)
      .set({ suspendedAt: ctx.now() })
      .where(and(eq(accounts.id, accountId), isNull(accounts.suspendedAt))),
    record(db, accountSuspended, { accountId }, sql`changes() > 0`),
  ])
  await enforceSuspension(ctx, { accountId })
}

/** Lifts a suspension; everything is there again as it was. */
export async function liftSuspension(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  await requireBelow(ctx, accountId)
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db
      .update(accounts)
      .set({ suspendedAt: null })
      .where(and(eq(accounts.id, accountId), isNotNull(accounts.suspendedAt))),
    record(db, suspensionLifted, { accountId }, sql`changes() > 0`),
  ])
  await enforceSuspension(ctx, { accountId })
}

/** Makes the account's limiter and sockets agree with whether it is suspended. Not left to the event alone, which may be late. */
export async function enforceSuspension(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await mirror(
    () => readSuspension(ctx, accountId),
    (suspendedAt) => setSuspended(ctx, accountId, suspendedAt !== null),
  )
}

async function requireBelow(ctx: UserCtx, accountId: Id): Promise<void> {
  const [[user], known] = await Promise.all([
    atPrimary(ctx).directory.select({ role: users.role }).from(users).where(eq(users.id, accountId)),
    ctx.db.shardOf(accountId).$count(accounts, eq(accounts.id, accountId)),
  ])
  if (known === 0) throw notFound()
  if (!outranks(ctx.viewer.role, user?.role ?? 'user')) throw new Failure('forbidden')
}
