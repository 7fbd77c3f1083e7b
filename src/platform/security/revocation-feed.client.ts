import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { withTimeout } from '../timeout.ts'
import { ACCESS_TOKEN_LIFE_MS } from './tokens.ts'

/** How far the clocks of isolates and objects may differ, and how long a login may take from its checks to its token. */
export const CLOCK_MARGIN_MS = 60_000
/** How long a change is listed: while a token from before it can be valid. */
export const FEED_MS = ACCESS_TOKEN_LIFE_MS + 2 * CLOCK_MARGIN_MS
const ANNOUNCE_TIMEOUT_MS = 5_000

/** Accounts whose suspension, logins, API keys or rights have changed. */
export type Changes = {
  accountIds: string[]
  /** Where to go on. */
  cursor: number
  /** Every change since this time (epoch ms) is in this list or in the ones before. */
  from: number
  /** Whether nothing is missing between the cursor that was given and this list. */
  isComplete: boolean
}

const feedOf = (env: Pick<Env, 'REVOCATIONS'>) => env.REVOCATIONS.getByName('all')

/** For an account's guard, after it has stored a change. Throws if the isolates may not learn of it: store it again. */
export function announceChange(env: Pick<Env, 'REVOCATIONS'>, accountId: string): Promise<void> {
  return withTimeout(feedOf(env).announce(accountId), ANNOUNCE_TIMEOUT_MS)
}

/** A null cursor asks for everything that is listed. */
export async function changesSince({ env }: SystemCtx, cursor: number | null): Promise<Changes> {
  return feedOf(env).changesSince(cursor)
}

export async function eraseFromFeed({ env }: SystemCtx, accountId: Id): Promise<void> {
  await feedOf(env).erase(accountId)
}
