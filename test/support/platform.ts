import { env } from 'cloudflare:workers'
import type { Config } from '../../src/platform/config.ts'
import { createContext, type SystemCtx } from '../../src/platform/context.ts'

type Deferred = SystemCtx & { settled: () => Promise<unknown> }

/** A context as a request has it, with some of its configuration changed; `settled` waits for what it deferred. */
export function contextWith(changed: Partial<Config> = {}, start: { bookmarks?: string } = {}): Deferred {
  const deferred: Promise<unknown>[] = []
  const ctx = createContext({ env, waitUntil: (work) => deferred.push(work), ...start })
  return Object.assign(ctx, { config: { ...ctx.config, ...changed }, settled: () => Promise.all(deferred) })
}
