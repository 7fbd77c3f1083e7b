import { DurableObject } from 'cloudflare:workers'
import { createContext } from '../create-context.ts'
import type { Database } from '../data/databases.ts'
import type { Id } from '../data/ids.ts'
import { replayMarked } from './dead-letters.ts'
import { backlog, hasEvents, sourceOf } from './outbox.ts'

const PASS_MS = 5_000
const LONGEST_WAIT_MS = 45_000
/** An invocation may make a thousand calls, and a page takes several: a query, a message batch and stored progress. */
const PAGES_PER_PASS = 100

/** `sentTo` is the last event sent. At `againAt` (epoch ms), `wait` ms after the last such time, all are sent again. */
type Progress = { sentTo: Id | null; againAt: number; wait: number }
const fresh: Progress = { sentTo: null, againAt: 0, wait: PASS_MS }

/**
 * One per database with an outbox. Its alarm, the only timer that survives a crash, resends unacknowledged events: new
 * ones at every pass, all of them at intervals that grow to 45 seconds, because duplicates do not help a slow consumer.
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
    await this.send(db, ctx.now())
    if (await hasEvents(db)) return
    await this.ctx.storage.delete('progress')
    // Keep the alarm after a recent `arm`: new events may follow for which `wakeSweeper` does not call `arm` again.
    if (this.armedAt < Date.now() - 2 * PASS_MS) await this.ctx.storage.deleteAlarm()
  }

  /** Stores the progress after each page, in case the pass is interrupted. */
  private async send(db: Database, now: number): Promise<void> {
    const last = (await this.ctx.storage.get<Progress>('progress')) ?? fresh
    let progress = now < last.againAt ? last : restarted(last, now)
    let pages = 0
    for await (const events of backlog(db, progress.sentTo, now - PASS_MS)) {
      await this.env.EVENTS.sendBatch(events.map((body) => ({ body })))
      progress = { ...progress, sentTo: events.at(-1)?.id ?? progress.sentTo }
      await this.ctx.storage.put('progress', progress)
      if (++pages === PAGES_PER_PASS) return
    }
  }
}

function restarted({ wait: waited }: Progress, now: number): Progress {
  const wait = Math.min(waited * 2, LONGEST_WAIT_MS)
  return { sentTo: null, againAt: now + wait, wait }
}
