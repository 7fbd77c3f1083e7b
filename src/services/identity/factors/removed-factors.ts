import { and, eq, gte, not, or, type SQL } from 'drizzle-orm'
import type { Database } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { passkeys, recoveryCodes, totpFactors } from './factor-tables.ts'
import { hasFactor } from './factors.ts'

/** Removes the factors and recovery codes that are newer than a theft of the account. */
export function endFactorsSince(db: Database, accountId: Id, since: number, when?: SQL) {
  const newApp = or(gte(totpFactors.createdAt, since), gte(totpFactors.confirmedAt, since))
  const newCodes = or(gte(recoveryCodes.createdAt, since), not(hasFactor(accountId)))
  return [
    db.delete(totpFactors).where(and(eq(totpFactors.accountId, accountId), newApp, when)),
    db.delete(passkeys).where(and(eq(passkeys.accountId, accountId), gte(passkeys.createdAt, since), when)),
    db.delete(recoveryCodes).where(and(eq(recoveryCodes.accountId, accountId), newCodes, when)),
  ] as const
}
