import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { BASE_URL } from './client.ts'

/**
 * Another isolate of the Worker: the same code with caches of its own, on the same databases and objects. It is the one
 * that served until now, because after the reset, the test client loads the modules again.
 */
export async function anotherIsolate(): Promise<{ fetch: (path: string, init?: RequestInit) => Promise<Response> }> {
  const { default: worker } = await import('../../src/worker.ts')
  // It loads the services that it has not needed yet: after the reset, they would be those of the other isolate.
  await worker.fetch(new Request(`${BASE_URL}/healthz`), env, createExecutionContext())
  vi.resetModules()
  return {
    fetch: async (path, init) => {
      const request = new Request(BASE_URL + path, init) as Request<unknown, IncomingRequestCfProperties>
      return worker.fetch(request, env, createExecutionContext())
    },
  }
}
