import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { BASE_URL } from './client.ts'

/** `bindings` replace some of the environment. */
type Send = (path: string, init?: RequestInit, bindings?: object) => Promise<Response>

/**
 * Another isolate of the Worker: the same code with caches of its own, on the same databases and objects. It is the one
 * that served until now, because after the reset, the test client loads the modules again. `parts` are paths of what it
 * loads on first use.
 */
export async function anotherIsolate(...parts: string[]): Promise<{ fetch: Send }> {
  const { default: worker } = await import('../../src/worker.ts')
  // It loads the services that it has not needed yet: after the reset, they would be those of the other isolate.
  for (const path of ['/healthz', ...parts])
    await worker.fetch(new Request(BASE_URL + path), env, createExecutionContext())
  vi.resetModules()
  return {
    fetch: async (path, init, bindings = {}) => {
      const request = new Request(BASE_URL + path, init) as Request<unknown, IncomingRequestCfProperties>
      return worker.fetch(request, { ...env, ...bindings }, createExecutionContext())
    },
  }
}
