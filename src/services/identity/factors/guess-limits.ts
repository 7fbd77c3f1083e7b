import type { Ctx } from '../../../platform/context.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { Failure } from '../../../platform/failures.ts'
import { type Allowance, type Limit, refund, spend, trySpend } from '../../../platform/security/rate-limit.ts'
import { invalidCredentials } from '../failures.ts'
import { type FailedLogin, noteFailure } from '../guessing.ts'
import { guessMailLimit, untoldGuessesLimit } from '../limits.ts'
import { queueMail } from '../mails.ts'

/** Mails the owner at most once a day: somebody who passed the first step of a login keeps failing at the second one. */
export async function warnOfGuesses(ctx: Ctx, accountId: Id): Promise<void> {
  if ((await trySpend(ctx, untoldGuessesLimit, accountId)) !== null) return
  if ((await trySpend(ctx, guessMailLimit, accountId)) === null) return
  const db = ctx.db.directory
  await db.commit([...queueMail(db, { accountId, kind: 'second-factor-guessed' })])
}

type Counter = { limit: Limit; key: string }

/**
 * Runs `check`, which returns null for a wrong guess; then throws `invalid_credentials`. A guess is counted before its
 * check, so that concurrent ones cannot exceed a limit, and given back unless it turns out to be wrong.
 */
export async function requireRight<T>(
  ctx: Ctx,
  counters: Counter[],
  failed: FailedLogin,
  check: () => Promise<T | null>,
): Promise<T> {
  const counted: (Counter & { allowance: Allowance })[] = []
  const giveBack = () =>
    ctx.defer(() => Promise.all(counted.map(({ limit, key, allowance }) => refund(ctx, limit, key, allowance))))
  const attempt = async () => {
    for (const counter of counters) {
      counted.push({ ...counter, allowance: await spend(ctx, counter.limit, counter.key) })
    }
    return check()
  }
  const right = await attempt().catch((error: unknown) => {
    giveBack()
    throw error
  })
  if (right !== null) {
    giveBack()
    return right
  }
  const last = counted.at(-1)
  if (last) await noteFailure(ctx, last.limit, last.allowance, failed)
  throw new Failure(invalidCredentials)
}
