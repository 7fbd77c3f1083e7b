import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { roleChanged } from './events.ts'
import { revokeAllTokens } from './revocation.ts'
import { isActiveAdmin, mayLogIn } from './statements.ts'
import { users } from './tables.ts'
import { Role } from './views.ts'

export const RoleChange = z.strictObject({ role: Role }).openapi('RoleChange')
export const AccountRole = z
  .object({ accountId: Id, role: Role })
  .openapi('AccountRole', { example: { role: 'moderator' } })
type AccountRole = z.infer<typeof AccountRole>

/** The new role applies within two seconds, because tokens with the old role are revoked. */
export async function setRole(ctx: UserCtx, { accountId, role }: AccountRole): Promise<AccountRole> {
  if (accountId === ctx.viewer.id) throw invalid('accountId', 'is your own')
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  // The batch checks again that the viewer is an admin, who stays one: two who demote each other cannot both succeed.
  const allowed = isActiveAdmin(eq(users.id, ctx.viewer.id))
  const mayAct = role === 'admin' ? eq(users.suspended, false) : undefined
  const [updated] = await db.commit([
    db
      .update(users)
      .set({ role, tokensVoidBefore: ctx.now(), updatedAt: new Date(ctx.now()) })
      .where(and(eq(users.id, accountId), mayLogIn, allowed, mayAct))
      .returning({ id: users.id }),
    record(db, roleChanged, { accountId, role, ...actor }, changed),
  ])
  if (updated.length === 0) throw await refusal(ctx, accountId)
  await revokeAllTokens(ctx, { accountId })
  return { accountId, role }
}

async function refusal(ctx: UserCtx, accountId: Id): Promise<Failure> {
  const [user] = await ctx.db.directory
    .select({ isSuspended: users.suspended })
    .from(users)
    .where(and(eq(users.id, accountId), mayLogIn))
  if (!user) return notFound()
  return user.isSuspended ? new Failure('conflict', 'A suspended account cannot be admin') : new Failure('forbidden')
}
