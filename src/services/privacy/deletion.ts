import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed, failUnless, refusals } from '../../platform/data/conditions.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { record } from '../../platform/events/events.ts'
import { Failure } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { revokeTokensBefore } from '../../platform/security/revocation.ts'
import { endLogins, mailIfChanged, mayLeave } from '../identity/statements.ts'
import { deletionRequested } from './events.ts'
import { syncHidden } from './statements.ts'
import { deletions } from './tables.ts'
import { deletionDays } from './variables.ts'

export const Deletion = z
  .object({
    erasedAt: z.iso
      .datetime()
      .openapi({ description: 'The erasure starts at this time. Before it, logging in cancels the deletion' }),
  })
  .openapi('Deletion')
type Deletion = z.infer<typeof Deletion>

/** Repeating it does not move the time of the erasure. Throws `conflict` for the last administrator. */
export async function deleteAccount(ctx: UserCtx): Promise<Deletion> {
  const accountId = ctx.viewer.id
  const now = ctx.now()
  const db = ctx.db.directory
  const wanted = { accountId, requestedAt: now, eraseAt: now + deletionDays(ctx) * DAY_MS }
  const statements = [
    db.select({ eraseAt: deletions.eraseAt }).from(deletions).where(eq(deletions.accountId, accountId)),
    failUnless(db, mayLeave(accountId), 'last_admin'),
    db.insert(deletions).values(wanted).onConflictDoNothing(),
    record(db, deletionRequested, { accountId, ...(await actorOf(ctx)) }, changed),
    ...mailIfChanged(db, accountId, 'deletion-requested'),
    ...endLogins(db, accountId, { at: now }),
  ] as const
  const results = await db.commit(statements).catch(refusals({ last_admin: lastAdmin }))
  const [earlier] = results[0]
  await Promise.all([syncHidden(ctx, { accountId }), revokeTokensBefore(ctx, accountId, now, now)])
  return { erasedAt: new Date(earlier?.eraseAt ?? wanted.eraseAt).toISOString() }
}

const lastAdmin = () => new Failure('conflict', 'You are the last administrator: make somebody else one first')
