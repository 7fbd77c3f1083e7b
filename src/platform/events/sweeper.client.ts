import type { SystemCtx } from '../context.ts'

const WAKE_INTERVAL_MS = 5_000
const awakeUntil = new Map<string, number>()
/** An isolate calls the sweepers only after its first response, which the cold start already delays. */
const START_AFTER_MS = 100
/** Those that this isolate has not reached: all at its start, and later those whose call was cancelled with a request. */
let unreached: Set<string> | null = null

/** Sets the alarm of the sweeper of the database `source`. Each isolate calls a sweeper at most every five seconds. */
export async function wakeSweeper(ctx: SystemCtx, source: string): Promise<void> {
  if (isAwake(ctx, source)) return
  awakeUntil.set(source, ctx.now() + WAKE_INTERVAL_MS)
  unreached?.add(source)
  await ctx.env.SWEEPER.getByName(source).arm(source)
  unreached?.delete(source)
}

/** Calls the sweepers that this isolate has not reached, without delaying the response. */
export function wakeUnreached(ctx: SystemCtx): void {
  unreached ??= new Set(sourcesOf(ctx))
  for (const source of unreached) {
    if (!isAwake(ctx, source)) ctx.defer(() => scheduler.wait(START_AFTER_MS).then(() => wakeSweeper(ctx, source)))
  }
}

export async function wakeSweepers(ctx: SystemCtx): Promise<void> {
  await Promise.all(sourcesOf(ctx).map((source) => wakeSweeper(ctx, source)))
}

const sourcesOf = (ctx: SystemCtx) => ['d', ...ctx.db.shards.map(String)]

function isAwake(ctx: SystemCtx, source: string): boolean {
  return (awakeUntil.get(source) ?? 0) > ctx.now()
}
