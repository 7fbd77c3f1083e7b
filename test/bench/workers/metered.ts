import * as product from '../../../src/worker.ts'
import { add, meterBindings, metered, moveClock, used } from '../meter.ts'

export * from '../../../src/worker.ts'

export const Hub = metered('Hub', product.Hub)
export const Conversation = metered('Conversation', product.Conversation)
export const AccessGuard = metered('AccessGuard', product.AccessGuard)
export const Sweeper = metered('Sweeper', product.Sweeper)

// The built product, counted. `/meter` returns what it has used since its start; a POST moves its clock.
export default {
  ...product.default,

  async fetch(request: Request, env: Env, ctx: ExecutionContext) {
    meterBindings(env)
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/meter') {
      if (request.method === 'POST') moveClock(Number(searchParams.get('ms')))
      return Response.json(used)
    }
    add('requests', 1)
    return product.default.fetch(request, env, ctx)
  },

  async queue(batch: MessageBatch, env: Env, ctx: ExecutionContext) {
    meterBindings(env)
    add('batches', 1)
    await product.default.queue(batch, env, ctx)
  },
}
