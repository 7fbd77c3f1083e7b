import type { SystemCtx } from '../context.ts'

const WAKE_INTERVAL_MS = 5_000
const awakeUntil = new Map<string, number>()
/** The sweepers that have not answered. A request that is cancelled takes its deferred work with it. */
const unanswered = new Set<string>()

/** Sets the alarm of the sweeper of the database `source`. Each isolate calls a sweeper at most every five seconds. */
export async function wakeSweeper(ctx: SystemCtx, source: string): Promise<void> {
  if (isAwake(ctx, source)) return
  awakeUntil.set(source, ctx.now() + WAKE_INTERVAL_MS)
  unanswered.add(source)
  await ctx.env.SWEEPER.getByName(source).arm(source)
  unanswered.delete(source)
}

/** Calls the sweepers again that did not answer, so that any later request replaces a call that was cancelled. */
export function wakeUnanswered(ctx: SystemCtx): void {
  for (const source of unanswered) if (!isAwake(ctx, source)) ctx.defer(() => wakeSweeper(ctx, source))
}

export async function wakeSweepers(ctx: SystemCtx): Promise<void> {
  const sources = ['d', ...ctx.db.shards.map(String)]
  await Promise.all(sources.map((source) => wakeSweeper(ctx, source)))
}

function isAwake(ctx: SystemCtx, source: string): boolean {
  return (awakeUntil.get(source) ?? 0) > ctx.now()
}
