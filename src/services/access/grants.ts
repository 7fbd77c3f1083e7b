import { z } from '@hono/zod-openapi'
import { and, eq, exists, lte, not } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { all, any, changed, one, query, refusals, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { iso } from '../../platform/personal-data.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { requireOther } from '../accounts/policy.ts'
import { adminRefusals, whileAdmin } from '../identity/statements.ts'
import { grantGiven, grantRevoked } from './events.ts'
import { isVerified, readAccess } from './holders.ts'
import { syncRights } from './queries.ts'
import { grants } from './tables.ts'
import { ActionName, type Grant, MAX_GRANTS, ThingName } from './views.ts'

export const GrantPath = z.object({ grantId: Id })
export const GrantRequest = z
  .strictObject({
    action: ActionName,
    thing: ThingName,
    until: z.iso.datetime().max(40).optional().openapi({ description: 'Without it, the grant does not expire' }),
  })
  .openapi('GrantRequest')

/** The same grant again only changes when it expires. Throws `conflict` if the account has 50 grants. */
export async function giveGrant(ctx: UserCtx, input: { accountId: Id } & z.infer<typeof GrantRequest>): Promise<Grant> {
  const { accountId, action, thing } = input
  requireOther(ctx, accountId)
  const until = input.until === undefined ? null : Date.parse(input.until)
  if (until !== null && until <= ctx.now()) throw invalid('until', 'is in the past')
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  const own = eq(grants.accountId, accountId)
  const same = query
    .select(one)
    .from(grants)
    .where(and(own, eq(grants.action, action), eq(grants.thing, thing)))
  const last = query
    .select(one)
    .from(grants)
    .where(own)
    .limit(1)
    .offset(MAX_GRANTS - 1)
  const isAllowed = all(isVerified(accountId), any(exists(same), not(exists(last))))
  const given = await withFreshId(ctx, shardOf(accountId), grants.id, async (id) => {
    const [, , rows] = await db.commit([
      whileAdmin(db, ctx),
      db.delete(grants).where(and(own, lte(grants.until, ctx.now()))),
      db
        .insert(grants)
        .select(rowIf(grants, { id, accountId, action, thing, until }, isAllowed))
        .onConflictDoUpdate({ target: [grants.accountId, grants.action, grants.thing], set: { until } })
        .returning({ id: grants.id }),
      record(db, grantGiven, { accountId, granted: action, thing, until: iso(until), ...actor }, changed),
    ])
    return rows[0]
  }).catch(refusals(adminRefusals))
  if (!given) throw await refusal(ctx, accountId)
  await syncRights(ctx, { accountId })
  return { ...given, action, thing, until: iso(until) }
}

async function refusal(ctx: UserCtx, accountId: Id): Promise<Failure> {
  await readAccess(ctx, { accountId })
  return new Failure('conflict', `An account has at most ${MAX_GRANTS} grants`)
}

/** Revoking a grant that does not exist changes nothing. */
export async function revokeGrant(ctx: UserCtx, { grantId }: { grantId: Id }): Promise<void> {
  const db = ctx.db.directory
  const [grant] = await atPrimary(ctx).directory.select().from(grants).where(eq(grants.id, grantId))
  if (!grant) return
  const { accountId, action, thing } = grant
  const actor = await actorOf(ctx)
  await db
    .commit([
      whileAdmin(db, ctx),
      db.delete(grants).where(eq(grants.id, grantId)),
      record(db, grantRevoked, { accountId, granted: action, thing, ...actor }, changed),
    ])
    .catch(refusals(adminRefusals))
  await syncRights(ctx, { accountId })
}
