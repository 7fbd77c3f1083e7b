import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../config.ts'
import { createContext } from '../context.ts'
import type { Database } from '../data/databases.ts'
import type { Id } from '../data/ids.ts'
import { backlog, hasEvents, replayMarked, sourceOf } from './outbox.ts'

const PASS_MS = 5_000
const LONGEST_WAIT_MS = 45_000
/** A page is one query and one message batch, and an invocation may make a thousand calls. */
const PAGES_PER_PASS = 100

/** How far the outbox has been sent, when all of it is due again (epoch ms), and how long that was put off. */
type Progress = { sentTo: Id | null; againAt: number; wait: number }
const fresh: Progress = { sentTo: null, againAt: 0, wait: PASS_MS }

/**
 * One per database with an outbox. An alarm, the only timer that survives a crash, sends whatever event was not
 * acknowledged in time: what is new at every pass, and all of it again, in case it was lost on its way, at intervals that
 * grow to 45 seconds, since a consumer that lags is not helped by copies. It writes nothing into the outbox.
 */
export class Sweeper extends DurableObject<Env> {
  private armedAt = 0

  /** Makes sure that a pass is due soon. */
  async arm(source: string): Promise<void> {
    this.armedAt = Date.now()
    if ((await this.ctx.storage.get('source')) !== source) await this.ctx.storage.put('source', source)
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + PASS_MS)
  }

  /** Answers when sweepers do; one that is only asked this keeps nothing and has no alarm. */
  async ready(): Promise<void> {
    await this.ctx.storage.getAlarm()
  }

  override async alarm(): Promise<void> {
    const source = await this.ctx.storage.get<string>('source')
    if (source === undefined) return
    await this.ctx.storage.setAlarm(Date.now() + PASS_MS) // first, so that a failing pass is followed by another
    const ctx = createContext({ env: this.env, waitUntil: (work) => this.ctx.waitUntil(work), start: 'first-primary' })
    const db = sourceOf(ctx, source)
    await replayMarked(ctx, db)
    await this.send(db, ctx.now())
    if (await hasEvents(db)) return
    await this.ctx.storage.delete('progress')
    // Whoever woke it lately does not do so again for some seconds, and may have committed an event since it looked.
    if (this.armedAt < Date.now() - 2 * PASS_MS) await this.ctx.storage.deleteAlarm()
  }

  /** Sends what is due, page by page; how far it came is kept with each, for a pass that is cut off. */
  private async send(db: Database, now: number): Promise<void> {
    const last = (await this.ctx.storage.get<Progress>('progress')) ?? fresh
    let progress = now < last.againAt ? last : begunAgain(last, now)
    let pages = 0
    for await (const events of backlog(db, progress.sentTo, now - PASS_MS)) {
      await this.env.EVENTS.sendBatch(events.map((body) => ({ body })))
      progress = { ...progress, sentTo: events.at(-1)!.id }
      await this.ctx.storage.put('progress', progress)
      if (++pages === PAGES_PER_PASS) return
    }
  }
}

function begunAgain({ wait: waited }: Progress, now: number): Progress {
  const wait = Math.min(waited * 2, LONGEST_WAIT_MS)
  return { sentTo: null, againAt: now + wait, wait }
}
