import { and, eq, exists, not } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { UserCtx } from '../../../platform/context.ts'
import { any, changed, failUnless, one, query, refusals } from '../../../platform/data/conditions.ts'
import { record } from '../../../platform/events/events.ts'
import { Failure, notFound } from '../../../platform/failures.ts'
import { actorOf } from '../../../platform/security/clients.ts'
import { factorAdded, factorRemoved } from '../events.ts'
import { longPasswordRequired } from '../failures.ts'
import { queueMail } from '../mails.ts'
import { users } from '../tables.ts'
import { recoveryCodes } from './factor-tables.ts'
import { hasFactor, readFactors } from './factors.ts'
import { newRecoveryCodes, replaceCodes } from './recovery-codes.ts'

type Factor = 'totp' | 'passkey'
const MISSING = 'missing'
const TOO_SHORT = 'too_short'
const RACED = 'raced'

/** Announces a new factor. The first one of the account comes with recovery codes. For the end of a batch. */
export async function additionOf(ctx: UserCtx, factor: Factor) {
  const db = ctx.db.directory
  const accountId = ctx.viewer.id
  const { isOn } = await readFactors(ctx, accountId)
  const codes = isOn ? null : newRecoveryCodes()
  const hasCodes = exists(query.select(one).from(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)))
  const statements = [
    record(db, factorAdded, { accountId, factor, ...(await actorOf(ctx)) }),
    ...queueMail(db, { accountId, kind: `${factor}-added` }),
    // Of two factors that are added at once, only one may be the first, because its codes were shown.
    ...(codes ? [failUnless(db, not(hasCodes), RACED), ...(await replaceCodes(ctx, db, accountId, codes))] : []),
  ]
  return { codes, statements }
}

/** Runs `deletion`, which removes a factor. Removes the recovery codes with the last factor. */
export async function removeFactor(ctx: UserCtx, factor: Factor, deletion: BatchItem<'sqlite'>): Promise<void> {
  const db = ctx.db.directory
  const accountId = ctx.viewer.id
  const isLong = and(eq(users.id, accountId), eq(users.hasShortPassword, false))
  const isEnough = any(hasFactor(accountId), exists(query.select(one).from(users).where(isLong)))
  await db
    .commit([
      deletion,
      failUnless(db, changed, MISSING),
      failUnless(db, isEnough, TOO_SHORT),
      db.delete(recoveryCodes).where(and(eq(recoveryCodes.accountId, accountId), not(hasFactor(accountId)))),
      record(db, factorRemoved, { accountId, factor, ...(await actorOf(ctx)) }),
      ...queueMail(db, { accountId, kind: `${factor}-removed` }),
    ])
    .catch(refusals(refusedChanges))
}

/** For `refusals`, on a batch that adds or removes a factor. */
export const refusedChanges = {
  [MISSING]: notFound,
  [TOO_SHORT]: () => new Failure(longPasswordRequired),
  [RACED]: () => new Failure('conflict'),
}
