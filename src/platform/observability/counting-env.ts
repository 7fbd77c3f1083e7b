import type { Cost } from './cost.ts'

/** The key of the `env` that `countingEnv` got. */
export const UNCOUNTED = Symbol('uncounted')

/** An `env` that adds calls of objects and R2, queue messages and KV reads to `cost`. `data/d1-session.ts` counts D1. */
export function countingEnv(env: Env, cost: Cost): Env {
  const bindings = countedBindings(env)
  return new Proxy(env, {
    get: (_, name) => {
      const counted = bindings.get(name)
      if (counted) return counted(cost)
      return name === UNCOUNTED ? env : Reflect.get(env, name)
    },
  })
}

type Counted = (cost: Cost) => object
const known = new WeakMap<Env, Map<PropertyKey, Counted>>()

function countedBindings(env: Env): Map<PropertyKey, Counted> {
  const found = known.get(env) ?? new Map(Object.entries(env).flatMap(([name, binding]) => withWrap(name, binding)))
  known.set(env, found)
  return found
}

/** Recognizes a binding by its methods, so that a new binding is counted without being listed here. */
function withWrap(name: string, binding: unknown): [string, Counted][] {
  if (typeof binding !== 'object' || binding === null) return []
  if ('getByName' in binding) return [[name, (cost) => countNamespace(binding, cost)]]
  if ('sendBatch' in binding) return [[name, (cost) => countQueue(binding, cost)]]
  if ('getWithMetadata' in binding) return [[name, (cost) => countKv(binding, cost)]]
  if ('createMultipartUpload' in binding) return [[name, (cost) => countBucket(binding, cost)]]
  return []
}

function counting(target: object, count: (method: PropertyKey, args: unknown[]) => void): object {
  return new Proxy(target, {
    get: (_, method) => {
      const value = Reflect.get(target, method)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        count(method, args)
        return Reflect.apply(value, target, args)
      }
    },
  })
}

function countNamespace(namespace: object, cost: Cost): object {
  const countCall = () => {
    cost.objectCalls += 1
  }
  return new Proxy(namespace, {
    get: (_, method) => {
      const value = Reflect.get(namespace, method)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const made: unknown = Reflect.apply(value, namespace, args)
        const isStub = typeof made === 'object' && made !== null && (method === 'get' || method === 'getByName')
        return isStub ? counting(made, countCall) : made
      }
    },
  })
}

function countQueue(queue: object, cost: Cost): object {
  return counting(queue, (method, [messages]) => {
    if (method === 'send') cost.queueMessages += 1
    if (method === 'sendBatch' && Array.isArray(messages)) cost.queueMessages += messages.length
  })
}

function countBucket(bucket: object, cost: Cost): object {
  return counting(bucket, (method) => {
    if (method !== 'resumeMultipartUpload') cost.bucketCalls += 1 // which makes no call
  })
}

function countKv(kv: object, cost: Cost): object {
  return counting(kv, (method) => {
    if (method === 'get' || method === 'getWithMetadata') cost.cacheReads += 1
  })
}
