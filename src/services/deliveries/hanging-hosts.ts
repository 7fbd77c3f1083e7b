import type { SystemCtx } from '../../platform/context.ts'

const REST_MS = 60_000
const MISSES = 2
const MAX_HOSTS = 1_000

/** Push services that did not answer in time, as this isolate knows them. `until`: epoch ms. */
const hosts = new Map<string, { misses: number; until: number }>()

/** After two calls in a row without an answer, a host is not called for a minute. */
export function isResting(ctx: SystemCtx, host: string): boolean {
  const known = hosts.get(host)
  return known !== undefined && known.misses >= MISSES && known.until > ctx.now()
}

export function noteAnswer(ctx: SystemCtx, host: string, hasHung: boolean): void {
  const misses = (hosts.get(host)?.misses ?? 0) + 1
  hosts.delete(host)
  if (!hasHung) return
  if (hosts.size >= MAX_HOSTS) hosts.delete(hosts.keys().next().value!)
  hosts.set(host, { misses, until: ctx.now() + REST_MS })
}
