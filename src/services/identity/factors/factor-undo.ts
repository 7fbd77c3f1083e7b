import { and, eq, exists, type SQL } from 'drizzle-orm'
import type { Ctx } from '../../../platform/context.ts'
import { all, failUnless, one, query, refusals } from '../../../platform/data/conditions.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { record } from '../../../platform/events/events.ts'
import { sealClient } from '../../../platform/security/clients.ts'
import { factorUndone } from '../events.ts'
import { badToken } from '../mailed-tokens.ts'
import { queueMail } from '../mails.ts'
import { isPasswordOf } from '../names.ts'
import { isLinkOf } from '../providers/links.ts'
import { revokeAllTokens } from '../revocation.ts'
import { endLogins } from '../statements.ts'
import { credentials, users } from '../tables.ts'
import { passkeys, totpFactors } from './factor-tables.ts'
import { type Added, readUndoneFactor } from './factor-undo-tokens.ts'
import { endFactorsSince } from './removed-factors.ts'

const UNDONE = 'undone'

/** A stranger may have added the factor: removes it and those added since, voids the password and ends every login. */
export async function undoFactor(ctx: Ctx, { token }: { token: string }): Promise<void> {
  const { accountId, added } = await readUndoneFactor(ctx, token)
  const { factor, addedAt } = added
  const client = await sealClient(ctx, accountId)
  const db = ctx.db.directory
  const { hashPassword } = await import('../passwords.ts')
  const password = hashPassword(ctx.config, crypto.randomUUID())
  await db
    .commit([
      failUnless(db, isThere(accountId, added), UNDONE),
      ...endFactorsSince(db, accountId, addedAt),
      ...endLogins(db, accountId, { devices: true, changes: { hasShortPassword: false } }),
      db
        .update(credentials)
        .set({ password, updatedAt: new Date(ctx.now()) })
        .where(isPasswordOf(accountId)),
      // A stranger may have linked an identity, which would let the stranger in again.
      db.delete(credentials).where(isLinkOf(accountId)),
      record(db, factorUndone, { accountId, factor, client }),
      ...queueMail(db, { accountId, kind: 'factor-undone' }),
    ])
    .catch(refusals({ [UNDONE]: badToken }))
  await revokeAllTokens(ctx, { accountId })
}

function isThere(accountId: Id, { factor, id, addedAt, address }: Added): SQL {
  const owner = and(eq(users.id, accountId), eq(users.email, address))
  const app = and(eq(totpFactors.accountId, accountId), eq(totpFactors.confirmedAt, addedAt))
  const key = and(eq(passkeys.accountId, accountId), eq(passkeys.id, id))
  const isAdded =
    factor === 'totp'
      ? exists(query.select(one).from(totpFactors).where(app))
      : exists(query.select(one).from(passkeys).where(key))
  return all(isAdded, exists(query.select(one).from(users).where(owner)))
}
