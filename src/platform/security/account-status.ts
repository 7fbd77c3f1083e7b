import type { SystemCtx, Viewer } from '../context.ts'
import { type AccountStatus, leaseRequests } from './access-guard.client.ts'
import { isApiKey } from './key-logins.ts'
import { type Changes, CLOCK_MARGIN_MS, changesSince, FEED_MS } from './revocation-feed.client.ts'
import { isRecent, Turns } from './turns.ts'

const TIMEOUT_MS = 2_000
const MAX_REMEMBERED = 10_000

const unchanged: AccountStatus = { suspended: false, revokedBefore: 0, endedSessions: [] }

type Login = Pick<Viewer, 'id' | 'sessionId' | 'issuedAt'>

/** What an isolate knows of the status of accounts. */
export class AccountStatuses {
  /** All changes in the feed between `from` and `readAt` are known. */
  private feed = { cursor: null as number | null, from: Infinity, readAt: -Infinity }
  /** Counts what was learned. A status is out of date if it was read before a change of its account was learned. */
  private learned = 0
  /** What was read before this is out of date, because the feed may have forgotten changes since then. */
  private restarted = 0
  private readonly changed = new Map<string, { learned: number; at: number }>()
  private readonly known = new Map<string, { status: AccountStatus; learned: number; readAt: number }>()
  private readonly feedTurns = new Turns('the feed of revocations')
  private readonly guardTurns = new Turns('the access guard')

  async of(ctx: SystemCtx, login: Login): Promise<AccountStatus | null> {
    const isFresh = await this.refreshFeed(ctx)
    const isListed = this.changed.has(login.id) || login.issuedAt - CLOCK_MARGIN_MS < this.feed.from
    return isFresh && !isListed && !isApiKey(login) ? unchanged : this.inGuard(ctx, login.id)
  }

  async inGuard(ctx: SystemCtx, accountId: string): Promise<AccountStatus | null> {
    for (;;) {
      const isFresh = await this.refreshFeed(ctx)
      const last = this.known.get(accountId)
      const isCurrent = last && (isFresh ? this.isLatest(accountId, last.learned) : isRecent(last.readAt, ctx.now()))
      if (isCurrent) return last.status
      const isAnswered = await this.guardTurns.take(ctx, accountId, TIMEOUT_MS, async () => {
        const remember = this.reader(ctx, accountId)
        const { status } = await leaseRequests(ctx, `user:${accountId}`, { quota: 1, window: 60 }, 0)
        remember(status)
      })
      if (!isAnswered) return null
    }
  }

  reader(ctx: SystemCtx, accountId: string): (status: AccountStatus) => void {
    const { learned } = this
    const readAt = ctx.now()
    return (status) => {
      if (this.known.size >= MAX_REMEMBERED) this.known.clear()
      if (this.isLatest(accountId, learned)) this.known.set(accountId, { status, learned, readAt })
    }
  }

  forget(ctx: SystemCtx, accountId: string): void {
    this.learned += 1
    this.markChanged(accountId, ctx.now())
  }

  private isLatest(accountId: string, learned: number): boolean {
    return learned >= (this.changed.get(accountId)?.learned ?? this.restarted)
  }

  /** Whether all changes until two seconds ago are known. */
  private async refreshFeed(ctx: SystemCtx): Promise<boolean> {
    while (!isRecent(this.feed.readAt, ctx.now())) {
      const isAnswered = await this.feedTurns.take(ctx, 'all', TIMEOUT_MS, async () => {
        const started = ctx.now()
        this.learn(await changesSince(ctx, this.feed.cursor), started)
      })
      if (!isAnswered) return false
    }
    return true
  }

  private learn({ accountIds, cursor, from, isComplete }: Changes, readAt: number): void {
    this.learned += 1
    if (!isComplete) {
      this.known.clear()
      this.changed.clear()
      this.restarted = this.learned
    }
    for (const id of accountIds) this.markChanged(id, readAt)
    for (const [id, { at }] of this.changed) {
      if (at > readAt - FEED_MS) break
      this.changed.delete(id)
    }
    this.feed = { cursor, from: isComplete ? Math.max(from, this.feed.from) : from, readAt }
  }

  /** The latest change is the last one, so that old ones can be deleted from the start. */
  private markChanged(accountId: string, at: number): void {
    this.changed.delete(accountId)
    this.changed.set(accountId, { learned: this.learned, at })
    this.known.delete(accountId)
  }
}

const here = new AccountStatuses()

/**
 * At most two seconds old; null if neither the feed nor the account's guard answers. A token needs no guard if nothing
 * has changed since it was issued. An API key does, because it lives longer than the feed remembers.
 */
export function accountStatus(ctx: SystemCtx, login: Login): Promise<AccountStatus | null> {
  return here.of(ctx, login)
}

/** As the account's guard stores it; null if the guard does not answer. It is asked again only if something changed. */
export function statusInGuard(ctx: SystemCtx, accountId: string): Promise<AccountStatus | null> {
  return here.inGuard(ctx, accountId)
}

/** For a status that a call brings along: to be called before the call, because it may change meanwhile. */
export function statusReader(ctx: SystemCtx, accountId: string): (status: AccountStatus) => void {
  return here.reader(ctx, accountId)
}

/** Makes this isolate ask the guard with its next request. */
export function forgetStatus(ctx: SystemCtx, accountId: string): void {
  here.forget(ctx, accountId)
}
