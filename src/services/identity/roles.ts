import { z } from '@hono/zod-openapi'
import { and, eq, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/http/errors.ts'
import { roleChanged } from './events.ts'
import { revokeAllTokens } from './revocation.ts'
import { users } from './tables.ts'

const Role = z.enum(['user', 'moderator', 'admin'])
export const RoleChange = z.strictObject({ role: Role }).openapi('RoleChange')
export const AccountRole = z.object({ accountId: Id, role: Role }).openapi('AccountRole')
type AccountRole = z.infer<typeof AccountRole>

/**
 * Gives an account a role; it holds within two seconds, since tokens that say otherwise become void. Nobody changes
 * their own, and the last admin stays one. Throws `forbidden` when the viewer is no longer an admin.
 */
export async function setRole(ctx: UserCtx, { accountId, role }: AccountRole): Promise<AccountRole> {
  if (accountId === ctx.viewer.id) throw invalid('accountId', 'is your own')
  const db = ctx.db.directory
  // The viewer, who stays one, is an admin at this very moment: so there always is one.
  const allowed = sql`exists (select 1 from ${users} where id = ${Number(ctx.viewer.id)} and role = 'admin')`
  const [changed] = await db.batch([
    db
      .update(users)
      .set({ role, tokensVoidBefore: ctx.now(), updatedAt: new Date(ctx.now()) })
      .where(and(eq(users.id, accountId), eq(users.emailVerified, true), allowed))
      .returning({ id: users.id }),
    record(db, roleChanged, { accountId }, sql`changes() > 0`),
  ])
  if (changed.length === 0) throw await refusal(ctx, accountId)
  await revokeAllTokens(ctx, { accountId })
  return { accountId, role }
}

async function refusal(ctx: UserCtx, accountId: Id): Promise<Failure> {
  const known = await ctx.db.directory.$count(users, and(eq(users.id, accountId), eq(users.emailVerified, true)))
  return known === 0 ? notFound() : new Failure('forbidden')
}
