import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { record } from '../../platform/events/events.ts'
import { Failure } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { refund, spend } from '../../platform/security/rate-limit.ts'
import { loginConfirmed } from './events.ts'
import { invalidCredentials } from './failures.ts'
import { noteFailure } from './guessing.ts'
import { confirmLimit } from './limits.ts'
import { Password } from './password-rules.ts'
import { credentials, sessions } from './tables.ts'

export const Confirmation = z.strictObject({ password: Password }).openapi('Confirmation')
type Confirmation = z.infer<typeof Confirmation>

/** Operations that require a fresh login accept this login for the next ten minutes. */
export async function confirmLogin(ctx: UserCtx, { password }: Confirmation): Promise<void> {
  await requireOwnPassword(ctx, password)
  const { id, sessionId } = ctx.viewer
  const actor = await actorOf(ctx)
  const db = ctx.db.directory
  await db.commit([
    db
      .update(sessions)
      .set({ confirmedAt: ctx.now() })
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, id))),
    record(db, loginConfirmed, { accountId: id, sessionId, ...actor }, changed),
  ])
}

/** Returns the hash. Wrong passwords are counted per login, so that a stolen token cannot block another login. */
export async function requireOwnPassword(ctx: UserCtx, password: string): Promise<string> {
  const { id, sessionId } = ctx.viewer
  const [credential] = await atPrimary(ctx)
    .directory.select({ hash: credentials.password })
    .from(credentials)
    .where(and(eq(credentials.userId, id), eq(credentials.providerId, 'credential')))
  const { passwordMatches } = await import('./passwords.ts')
  const counted = await spend(ctx, confirmLimit, `${id}:${sessionId}`)
  const matches = passwordMatches(ctx.config, password, credential?.hash ?? null)
  if (!credential?.hash || !matches) {
    await noteFailure(ctx, confirmLimit, counted, { accountId: id, actorId: id, step: 'confirmation' })
    throw new Failure(invalidCredentials)
  }
  ctx.defer(() => refund(ctx, confirmLimit, `${id}:${sessionId}`, counted))
  return credential.hash
}
