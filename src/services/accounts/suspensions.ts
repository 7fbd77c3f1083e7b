import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { invalid, notFound } from '../../platform/errors.ts'
import { record } from '../../platform/events.ts'
import type { Id } from '../../platform/ids.ts'
import { accountSuspended, suspensionLifted } from './events.ts'
import { accounts } from './tables.ts'

/** Suspends an account: it and all of its posts disappear at once, and within two seconds it can do nothing more. */
export async function suspendAccount(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  if (accountId === ctx.viewer.id) throw invalid('accountId', 'is the viewer’s own')
  await requireExisting(ctx, accountId)
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db
      .update(accounts)
      .set({ suspendedAt: ctx.now() })
      .where(and(eq(accounts.id, accountId), isNull(accounts.suspendedAt))),
    record(db, accountSuspended, { accountId }, sql`changes() > 0`),
  ])
}

/** Lifts a suspension; everything is there again as it was. */
export async function liftSuspension(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  await requireExisting(ctx, accountId)
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db
      .update(accounts)
      .set({ suspendedAt: null })
      .where(and(eq(accounts.id, accountId), isNotNull(accounts.suspendedAt))),
    record(db, suspensionLifted, { accountId }, sql`changes() > 0`),
  ])
}

async function requireExisting(ctx: UserCtx, accountId: Id): Promise<void> {
  if ((await ctx.db.shardOf(accountId).$count(accounts, eq(accounts.id, accountId))) === 0) throw notFound()
}
