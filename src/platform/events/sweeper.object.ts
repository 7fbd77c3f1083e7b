import { DurableObject } from 'cloudflare:workers'
import type { SystemCtx } from '../context.ts'
import { createContext } from '../create-context.ts'
import type { Database } from '../data/databases.ts'
import type { Id } from '../data/ids.ts'
import { replayMarked } from './dead-letters.ts'
import { backlog, hasEvents, sourceOf } from './outbox.ts'

const PASS_MS = 5_000
const LONGEST_WAIT_MS = 45_000
/** A queue accepts 5,000 messages a second. The sweepers of all databases share this many, in pages of a hundred. */
const PAGES_PER_SECOND = 40

/**
 * `sentTo` is the last event sent, and `isAtEnd` whether no event came after it. Then, from `againAt` (epoch ms), which is
 * `wait` ms after the last such time, all events are sent again.
 */
type Progress = { sentTo: Id | null; isAtEnd: boolean; againAt: number; wait: number }
const fresh: Progress = { sentTo: null, isAtEnd: true, againAt: 0, wait: PASS_MS }

/**
 * One per database with an outbox. Its alarm, the only timer that survives a crash, resends unacknowledged events. Each
 * pass goes on where the last one stopped. From the end of the backlog it starts again, at intervals that grow to 45
 * seconds, because duplicates do not help a slow consumer. An event that failed is left to the queue, which retries it.
 */
export class Sweeper extends DurableObject<Env> {
  private armedAt = 0

  async arm(source: string): Promise<void> {
    this.armedAt = Date.now()
    if ((await this.ctx.storage.get('source')) !== source) await this.ctx.storage.put('source', source)
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + PASS_MS)
  }

  /** For the health check. Stores nothing and sets no alarm. */
  async ready(): Promise<void> {
    await this.ctx.storage.getAlarm()
  }

  override async alarm(): Promise<void> {
    const source = await this.ctx.storage.get<string>('source')
    if (source === undefined) return
    await this.ctx.storage.setAlarm(Date.now() + PASS_MS) // set first, so that a failing pass is retried
    const ctx = createContext({ env: this.env, waitUntil: (work) => this.ctx.waitUntil(work), start: 'first-primary' })
    const db = sourceOf(ctx, source)
    await replayMarked(ctx, db)
    await this.send(db, ctx.now(), pagesPerPass(ctx))
    if (await hasEvents(db)) return
    await this.ctx.storage.delete('progress')
    // Keep the alarm after a recent `arm`: new events may follow for which `wakeSweeper` does not call `arm` again.
    if (this.armedAt < Date.now() - 2 * PASS_MS) await this.ctx.storage.deleteAlarm()
  }

  /** Stores the progress after each page, in case the pass is interrupted. */
  private async send(db: Database, now: number, most: number): Promise<void> {
    const last = (await this.ctx.storage.get<Progress>('progress')) ?? fresh
    let progress = last.isAtEnd && now >= last.againAt ? restarted(last, now) : last
    let pages = 0
    for await (const events of backlog(db, progress.sentTo, now)) {
      await this.env.EVENTS.sendBatch(events.map((body) => ({ body })))
      progress = { ...progress, sentTo: events.at(-1)?.id ?? progress.sentTo, isAtEnd: false }
      await this.ctx.storage.put('progress', progress)
      if (++pages === most) return
      await this.pause(PASS_MS / most)
    }
    if (progress.sentTo !== null) await this.ctx.storage.put('progress', { ...progress, isAtEnd: true })
  }

  private pause(ms: number): Promise<void> {
    return scheduler.wait(ms)
  }
}

function pagesPerPass({ db }: SystemCtx): number {
  const sweepers = db.shards.length + 1
  return Math.max(1, Math.floor((PAGES_PER_SECOND * PASS_MS) / 1_000 / sweepers))
}

function restarted({ wait: waited }: Progress, now: number): Progress {
  const wait = Math.min(waited * 2, LONGEST_WAIT_MS)
  return { sentTo: null, isAtEnd: false, againAt: now + wait, wait }
}
