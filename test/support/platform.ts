import { env } from 'cloudflare:workers'
import type { Config } from '../../src/platform/config.ts'
import type { SystemCtx } from '../../src/platform/context.ts'
import { createContext } from '../../src/platform/create-context.ts'

type Deferred = SystemCtx & { settled: () => Promise<unknown> }

/** The context of a request with some of its configuration replaced. `settled` waits for its deferred work. */
export function contextWith(changed: Partial<Config> = {}, start: { bookmarks?: string } = {}): Deferred {
  const deferred: Promise<unknown>[] = []
  const ctx = createContext({ env, waitUntil: (work) => deferred.push(work), ...start })
  return Object.assign(ctx, { config: { ...ctx.config, ...changed }, settled: () => Promise.all(deferred) })
}
