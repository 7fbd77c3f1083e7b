import type { SystemCtx } from '../context.ts'

const WAKE_INTERVAL_MS = 5_000
const awakeUntil = new Map<string, number>()

/** Sets the alarm of the sweeper of the database `source`. Each isolate calls a sweeper at most every five seconds. */
export async function wakeSweeper(ctx: SystemCtx, source: string): Promise<void> {
  const now = ctx.now()
  if ((awakeUntil.get(source) ?? 0) > now) return
  awakeUntil.set(source, now + WAKE_INTERVAL_MS)
  await ctx.env.SWEEPER.getByName(source).arm(source)
}

export async function wakeSweepers(ctx: SystemCtx): Promise<void> {
  const sources = ['d', ...ctx.db.shards.map(String)]
  await Promise.all(sources.map((source) => wakeSweeper(ctx, source)))
}
