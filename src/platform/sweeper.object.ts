import { DurableObject } from 'cloudflare:workers'
import { createContext } from './context.ts'
import type { Env } from './env.ts'
import { outbox } from './events.ts'
import type { Id } from './ids.ts'
import { backlog, sourceOf, takeReplays } from './outbox.ts'

const PASS_MS = 5_000
const LONGEST_WAIT_MS = 15 * 60_000

/**
 * One per database with an outbox. An alarm, the only timer that survives a crash, sends again whatever event was not
 * acknowledged in time. It walks the outbox by id and writes nothing there; passes grow apart while a backlog lasts.
 */
export class Sweeper extends DurableObject<Env> {
  /** Makes sure that a pass is due soon. */
  async arm(source: string): Promise<void> {
    await this.ctx.storage.put('source', source)
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + PASS_MS)
  }

  override async alarm(): Promise<void> {
    const source = await this.ctx.storage.get<string>('source')
    if (source === undefined) return
    const wait = (await this.ctx.storage.get<number>('wait')) ?? PASS_MS
    await this.ctx.storage.setAlarm(Date.now() + wait) // first, so that a failing pass is followed by another
    const left = await this.pass(source)
    await this.ctx.storage.put('wait', left > 0 ? Math.min(wait * 2, LONGEST_WAIT_MS) : PASS_MS)
    if (left === 0) await this.ctx.storage.deleteAlarm()
  }

  /** Sends every event that has waited for longer than a pass once more; answers how many rows the outbox holds yet. */
  private async pass(source: string): Promise<number> {
    const ctx = createContext({ env: this.env, waitUntil: (work) => this.ctx.waitUntil(work), start: 'first-primary' })
    const db = sourceOf(ctx, source)
    await takeReplays(ctx, db)
    for (let cursor: Id | null = null; ; ) {
      const events = await backlog(db, cursor, ctx.now() - PASS_MS)
      if (events.length === 0) return db.$count(outbox)
      await this.env.EVENTS.sendBatch(events.map((body) => ({ body })))
      cursor = events.at(-1)!.id
    }
  }
}
