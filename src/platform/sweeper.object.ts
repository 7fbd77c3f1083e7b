import { DurableObject } from 'cloudflare:workers'
import { createContext } from './context.ts'
import type { Env } from './env.ts'
import type { Committed } from './events.ts'
import type { Id } from './ids.ts'
import { backlog, hasEvents, sourceOf, takeReplays } from './outbox.ts'

const PASS_MS = 5_000
const LONGEST_WAIT_MS = 60_000

/** How far the outbox has been sent, when all of it is due again (epoch ms), and how long that was put off. */
type Progress = { sentTo: Id | null; againAt: number; wait: number }
const fresh: Progress = { sentTo: null, againAt: 0, wait: PASS_MS }

/**
 * One per database with an outbox. An alarm, the only timer that survives a crash, sends whatever event was not
 * acknowledged in time: what is new at every pass, and all of it again, in case it was lost on its way, at intervals that
 * grow to a minute, since a consumer that lags is not helped by copies. It writes nothing into the outbox.
 */
export class Sweeper extends DurableObject<Env> {
  /** Makes sure that a pass is due soon. */
  async arm(source: string): Promise<void> {
    if ((await this.ctx.storage.get('source')) !== source) await this.ctx.storage.put('source', source)
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + PASS_MS)
  }

  override async alarm(): Promise<void> {
    const source = await this.ctx.storage.get<string>('source')
    if (source === undefined) return
    await this.ctx.storage.setAlarm(Date.now() + PASS_MS) // first, so that a failing pass is followed by another
    const ctx = createContext({ env: this.env, waitUntil: (work) => this.ctx.waitUntil(work), start: 'first-primary' })
    const db = sourceOf(ctx, source)
    await takeReplays(ctx, db)
    const progress = (await this.ctx.storage.get<Progress>('progress')) ?? fresh
    const isAgain = ctx.now() >= progress.againAt
    const sentTo = await this.send(backlog(db, isAgain ? null : progress.sentTo, ctx.now() - PASS_MS))
    if (await hasEvents(db)) {
      await this.ctx.storage.put('progress', next(progress, sentTo, isAgain, ctx.now()))
    } else {
      await this.ctx.storage.delete('progress')
      await this.ctx.storage.deleteAlarm()
    }
  }

  /** Sends pages of events; answers the id of the last. */
  private async send(pages: AsyncIterable<Committed[]>): Promise<Id | null> {
    let last: Id | null = null
    for await (const events of pages) {
      await this.env.EVENTS.sendBatch(events.map((body) => ({ body })))
      last = events.at(-1)!.id
    }
    return last
  }
}

function next(progress: Progress, sentTo: Id | null, isAgain: boolean, now: number): Progress {
  if (!isAgain) return { ...progress, sentTo: sentTo ?? progress.sentTo }
  const wait = sentTo === null ? PASS_MS : Math.min(progress.wait * 2, LONGEST_WAIT_MS)
  return { sentTo, againAt: now + wait, wait }
}
