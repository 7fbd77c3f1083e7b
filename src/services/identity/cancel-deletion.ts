import { eq } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { cancelDeletion, syncHidden } from '../privacy/statements.ts'
import { deletions } from '../privacy/tables.ts'
import { invalidCredentials } from './failures.ts'
import { queueMail } from './mails.ts'

/** Throws `invalid_credentials` if the erasure has started. */
export async function keepAccount(ctx: Ctx, accountId: Id): Promise<void> {
  const db = ctx.db.directory
  const [, , , , pending] = await db.commit([
    ...cancelDeletion(db, accountId, await sealClient(ctx, accountId)),
    ...queueMail(db, { accountId, kind: 'deletion-cancelled' }, changed),
    db.select({ id: deletions.accountId }).from(deletions).where(eq(deletions.accountId, accountId)),
  ])
  if (pending.length > 0) throw new Failure(invalidCredentials)
  await syncHidden(ctx, { accountId })
}
