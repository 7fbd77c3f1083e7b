import type { SystemCtx, Viewer } from '../context.ts'
import { type AccountStatus, leaseRequests } from './access-guard.client.ts'
import { isApiKey } from './key-logins.ts'
import { type Changes, CLOCK_MARGIN_MS, changesSince, FEED_MS } from './revocation-feed.client.ts'
import { isRecent, Turns } from './turns.ts'

const TIMEOUT_MS = 2_000
const MAX_REMEMBERED = 10_000

/** What this isolate knows of the feed: every change since `from`, as of `readAt`. */
const feed = { cursor: null as number | null, from: Infinity, readAt: -Infinity }
/** Counts what this isolate has learned. A status is out of date if it was read before a change was learned. */
let learned = 0
/** What was read before this is out of date: the feed had forgotten changes since then. */
let restarted = 0
const changed = new Map<string, { learned: number; at: number }>()
const known = new Map<string, { status: AccountStatus; learned: number; readAt: number }>()

const feedTurns = new Turns('the feed of revocations')
const guardTurns = new Turns('the access guard')
const unchanged: AccountStatus = { suspended: false, revokedBefore: 0, endedSessions: [] }

/**
 * At most two seconds old; null if neither the feed nor the account's guard answers. A token needs no guard if nothing
 * has changed since it was issued. An API key does, because it lives longer than the feed remembers.
 */
export async function accountStatus(
  ctx: SystemCtx,
  login: Pick<Viewer, 'id' | 'sessionId' | 'issuedAt'>,
): Promise<AccountStatus | null> {
  const isFresh = await refreshFeed(ctx)
  const isListed = changed.has(login.id) || login.issuedAt - CLOCK_MARGIN_MS < feed.from
  return isFresh && !isListed && !isApiKey(login) ? unchanged : statusInGuard(ctx, login.id)
}

/** As the account's guard stores it; null if the guard does not answer. The guard is asked only if something changed. */
export async function statusInGuard(ctx: SystemCtx, accountId: string): Promise<AccountStatus | null> {
  for (;;) {
    const isFresh = await refreshFeed(ctx)
    const last = known.get(accountId)
    const isCurrent = isFresh ? isLatest(accountId, last?.learned) : last && isRecent(last.readAt, ctx.now())
    if (last && isCurrent) return last.status
    const isAnswered = await guardTurns.take(ctx, accountId, TIMEOUT_MS, async () => {
      const remember = statusReader(ctx, accountId)
      const { status } = await leaseRequests(ctx, `user:${accountId}`, { quota: 1, window: 60 }, 0)
      remember(status)
    })
    if (!isAnswered) return null
  }
}

/** For a status that a call brings along: to be called before the call, because it may change meanwhile. */
export function statusReader(ctx: SystemCtx, accountId: string): (status: AccountStatus) => void {
  const [before, readAt] = [learned, ctx.now()]
  return (status) => {
    if (known.size >= MAX_REMEMBERED) known.clear()
    if (isLatest(accountId, before)) known.set(accountId, { status, learned: before, readAt })
  }
}

/** Makes this isolate ask the guard with its next request. */
export function forgetStatus(ctx: SystemCtx, accountId: string): void {
  learned += 1
  markChanged(accountId, ctx.now())
}

const isLatest = (accountId: string, at = -1): boolean => at >= (changed.get(accountId)?.learned ?? restarted)

/** Whether this isolate knows all changes until two seconds ago. */
async function refreshFeed(ctx: SystemCtx): Promise<boolean> {
  while (!isRecent(feed.readAt, ctx.now())) {
    const isAnswered = await feedTurns.take(ctx, 'all', TIMEOUT_MS, async () => {
      const started = ctx.now()
      learn(await changesSince(ctx, feed.cursor), started)
    })
    if (!isAnswered) return false
  }
  return true
}

function learn({ accountIds, cursor, from, isComplete }: Changes, readAt: number): void {
  learned += 1
  if (!isComplete) {
    known.clear()
    changed.clear()
    restarted = learned
  }
  for (const id of accountIds) markChanged(id, readAt)
  for (const [id, { at }] of changed) {
    if (at > readAt - FEED_MS) break
    changed.delete(id)
  }
  Object.assign(feed, { cursor, from, readAt })
}

/** The latest change is the last one, so that old ones can be deleted from the start. */
function markChanged(accountId: string, at: number): void {
  changed.delete(accountId)
  changed.set(accountId, { learned, at })
  known.delete(accountId)
}
