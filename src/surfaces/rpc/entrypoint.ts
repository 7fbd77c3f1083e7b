import { WorkerEntrypoint } from 'cloudflare:workers'
import type { Operation } from '../../platform/http/operation.ts'

type Service = { name: string; rpc?: string; operations: readonly Operation[] }

/** What the runtime reads of an entrypoint, and what a binding has besides methods. No operation has such a name. */
const reserved =
  /^(alarm|connect|constructor|ctx|dup|email|env|fetch|queue|scheduled|self|tail|tailStream|test|then|trace|webSocket.*)$/
const isMethod = (key: string | symbol): key is string => typeof key === 'string' && !reserved.test(key)

/**
 * The RPC service `name`, with a method for each operation of the services that belong to it. A method loads the
 * services when it is called, so that an isolate without calls never does. It returns a `RpcResult`, and does not throw.
 */
export function rpcService<Api extends object>(load: () => Promise<readonly Service[]>, name: string) {
  const own = async () => (await load()).filter(({ rpc }) => rpc === name)
  class Entrypoint extends WorkerEntrypoint<Env, unknown> {}
  // On the prototype, because other Workers can call nothing else.
  const methods = new Proxy<object>(Object.create(WorkerEntrypoint.prototype), {
    has: (target, key) => isMethod(key) || Reflect.has(target, key),
    get: (target, key, receiver) => (isMethod(key) ? methodOf(key, own) : Reflect.get(target, key, receiver)),
  })
  Object.setPrototypeOf(Entrypoint.prototype, methods)
  return Entrypoint as new (
    ctx: ExecutionContext,
    env: Env,
  ) => Entrypoint & Api
}

type Entry = { ctx: ExecutionContext<unknown>; env: Env }

function methodOf(id: string, load: () => Promise<readonly Service[]>) {
  return async function call(this: Entry, input: unknown, options: unknown): Promise<unknown> {
    const { answer } = await import('./call.ts')
    const services = await load()
    const [offer] = services.flatMap(({ name: service, operations }) =>
      operations.filter((operation) => operation.id === id).map((operation) => ({ service, operation })),
    )
    if (!offer) throw new TypeError(`The RPC receiver does not implement the method "${id}".`)
    const waitUntil = this.ctx.waitUntil.bind(this.ctx)
    return answer({ ...offer, env: this.env, props: this.ctx.props, waitUntil }, input, options)
  }
}
