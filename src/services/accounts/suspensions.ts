import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import { roles, type SystemCtx, type UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { outranks } from '../../platform/security/access.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { setSuspended } from '../../platform/security/revocation.ts'
import type { Act } from '../audit/events.ts'
import { copySuspension, markSuspended } from '../identity/statements.ts'
import { users } from '../identity/tables.ts'
import { accountHidden, accountShown, accountSuspended, suspensionLifted } from './events.ts'
import { readSuspension } from './queries.ts'
import { accounts } from './tables.ts'

/** Refused for administrators. Hides the account and its posts at once; its access tokens stop working within two seconds. */
export async function suspendAccount(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  if (accountId === ctx.viewer.id) throw invalid('accountId', 'is your own')
  await requireBelow(ctx, accountId, true)
  const actor = await actorOf(ctx)
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    db
      .update(accounts)
      .set({ suspendedAt: ctx.now() })
      .where(and(eq(accounts.id, accountId), isNull(accounts.suspendedAt))),
    record(db, accountSuspended, { accountId, ...actor }, changed),
    record(db, accountHidden, { accountId }, changed),
  ])
  await Promise.all([enforceSuspension(ctx, { accountId }), copySuspension(ctx, { accountId })])
  if (await spareAdmin(ctx, { accountId })) throw new Failure('forbidden')
}

export async function liftSuspension(ctx: UserCtx, { accountId }: { accountId: Id }): Promise<void> {
  await requireBelow(ctx, accountId)
  await lift(ctx, accountId, await actorOf(ctx))
}

async function lift(ctx: SystemCtx, accountId: Id, actor: Omit<Act, 'accountId'>): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    db
      .update(accounts)
      .set({ suspendedAt: null })
      .where(and(eq(accounts.id, accountId), isNotNull(accounts.suspendedAt))),
    record(db, suspensionLifted, { accountId, ...actor }, changed),
    record(db, accountShown, { accountId }, changed),
  ])
  await Promise.all([enforceSuspension(ctx, { accountId }), copySuspension(ctx, { accountId })])
}

/** Lifts a suspension that crossed a promotion. A late copy of an older state can let one through. */
export async function spareAdmin(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<boolean> {
  const isAdmin = and(eq(users.id, accountId), eq(users.role, 'admin'))
  if ((await atPrimary(ctx).directory.$count(users, isAdmin)) === 0) return false
  await lift(ctx, accountId, {})
  return true
}

/** Updates the account's guard and sockets. Operations call it directly, because the event may be late. */
export async function enforceSuspension(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await mirror(
    () => readSuspension(ctx, accountId),
    (suspendedAt) => setSuspended(ctx, accountId, suspendedAt !== null),
  )
}

/** Staff can suspend users and lower roles, but not their own role. `marks` begins a suspension in the directory. */
async function requireBelow(ctx: UserCtx, accountId: Id, marks = false): Promise<void> {
  const below = roles.filter((role) => role === 'user' || outranks(ctx.viewer.role, role))
  const { directory } = atPrimary(ctx)
  const read = directory.select({ role: users.role }).from(users).where(eq(users.id, accountId))
  if ((await ctx.db.shardOf(accountId).$count(accounts, eq(accounts.id, accountId))) === 0) throw notFound()
  const [[user]] = await directory.batch(marks ? [read, markSuspended(directory, accountId, below)] : [read])
  if (!below.includes(user?.role ?? 'user')) throw new Failure('forbidden')
}
