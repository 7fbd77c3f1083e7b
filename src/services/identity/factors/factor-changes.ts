import { and, eq, exists, not } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { UserCtx } from '../../../platform/context.ts'
import { any, changed, failUnless, one, query, refusals } from '../../../platform/data/conditions.ts'
import { record } from '../../../platform/events/events.ts'
import { Failure, notFound } from '../../../platform/failures.ts'
import { actorOf } from '../../../platform/security/clients.ts'
import { factorAdded, factorRemoved } from '../events.ts'
import { lastWayToLogIn, longPasswordRequired } from '../failures.ts'
import { queueMail } from '../mails.ts'
import { canLogIn } from '../providers/links.ts'
import { ENDED, loginLasts, refusedIfEnded } from '../statements.ts'
import { users } from '../tables.ts'
import { recoveryCodes } from './factor-tables.ts'
import type { Added } from './factor-undo-tokens.ts'
import { hasFactor, readFactors } from './factors.ts'
import { newRecoveryCodes, replaceCodes } from './recovery-codes.ts'

const MISSING = 'missing'
const TOO_SHORT = 'too_short'
const LAST_WAY = 'last_way'
const RACED = 'raced'

type Statements = [BatchItem<'sqlite'>, ...BatchItem<'sqlite'>[]]

/**
 * Runs `insertion`, which adds a factor, and refuses like `refuse`. Returns the recovery codes that come with the first
 * factor of the account. Tries again if another request added the first factor, or removed the last one, meanwhile.
 */
export async function addFactor(
  ctx: UserCtx,
  added: Pick<Added, 'factor' | 'id'>,
  insertion: Statements,
  refuse: (error: unknown) => never,
): Promise<string[] | null> {
  const commit = async () => {
    const { codes, before, after } = await additionOf(ctx, added)
    await ctx.db.directory.commit([...before, ...insertion, ...after])
    return codes
  }
  return commit()
    .catch(refusals({ [RACED]: () => new Raced() }))
    .catch((error: unknown) => {
      if (error instanceof Raced) return commit()
      throw error
    })
    .catch(refuse)
}

class Raced extends Error {}

async function additionOf(ctx: UserCtx, { factor, id }: Pick<Added, 'factor' | 'id'>) {
  const db = ctx.db.directory
  const accountId = ctx.viewer.id
  const { isOn } = await readFactors(ctx, accountId)
  const codes = isOn ? null : newRecoveryCodes()
  const isAsRead = isOn ? hasFactor(accountId) : not(hasFactor(accountId))
  return {
    codes,
    before: [failUnless(db, loginLasts(ctx), ENDED), failUnless(db, isAsRead, RACED)] as const,
    after: [
      record(db, factorAdded, { accountId, factor, ...(await actorOf(ctx)) }),
      ...queueMail(db, { accountId, kind: `${factor}-added`, detail: id }),
      ...(codes ? await replaceCodes(ctx, db, accountId, codes) : []),
    ],
  }
}

/** Runs `deletion`, which removes a factor. Removes the recovery codes with the last factor. */
export async function removeFactor(
  ctx: UserCtx,
  factor: Added['factor'],
  deletion: BatchItem<'sqlite'>,
): Promise<void> {
  const db = ctx.db.directory
  const accountId = ctx.viewer.id
  const isLong = and(eq(users.id, accountId), eq(users.hasShortPassword, false))
  const isEnough = any(hasFactor(accountId), exists(query.select(one).from(users).where(isLong)))
  await db
    .commit([
      failUnless(db, loginLasts(ctx), ENDED),
      deletion,
      failUnless(db, changed, MISSING),
      failUnless(db, isEnough, TOO_SHORT),
      ...(factor === 'passkey' ? [failUnless(db, canLogIn(ctx, accountId), LAST_WAY)] : []),
      db.delete(recoveryCodes).where(and(eq(recoveryCodes.accountId, accountId), not(hasFactor(accountId)))),
      record(db, factorRemoved, { accountId, factor, ...(await actorOf(ctx)) }),
      ...queueMail(db, { accountId, kind: `${factor}-removed` }),
    ])
    .catch(refusals(refusedChanges))
}

export const refusedChanges = {
  [MISSING]: notFound,
  [TOO_SHORT]: () => new Failure(longPasswordRequired),
  [LAST_WAY]: () => new Failure(lastWayToLogIn),
  [RACED]: () => new Failure('conflict'),
  ...refusedIfEnded,
}
