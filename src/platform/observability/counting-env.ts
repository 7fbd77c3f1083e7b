import type { Cost } from './cost.ts'

type Wrap = (binding: object, cost: Cost) => object

/** A copy of `env` that adds calls of objects and R2, queue messages and KV reads to `cost`. `data/d1-session.ts` counts D1. */
export function countingEnv(env: Env, cost: Cost): Env {
  const counted = { ...env }
  for (const [name, binding, wrap] of countedBindings(env)) {
    Object.defineProperty(counted, name, { enumerable: true, get: () => wrap(binding, cost) })
  }
  return counted
}

const known = new WeakMap<Env, [string, object, Wrap][]>()

function countedBindings(env: Env): [string, object, Wrap][] {
  const found = known.get(env) ?? Object.entries(env).flatMap(([name, binding]) => withWrap(name, binding))
  known.set(env, found)
  return found
}

/** Recognizes a binding by its methods, so that a new binding is counted without being listed here. */
function withWrap(name: string, binding: unknown): [string, object, Wrap][] {
  if (typeof binding !== 'object' || binding === null) return []
  if ('getByName' in binding) return [[name, binding, countNamespace]]
  if ('sendBatch' in binding) return [[name, binding, countQueue]]
  if ('getWithMetadata' in binding) return [[name, binding, countKv]]
  if ('createMultipartUpload' in binding) return [[name, binding, countBucket]]
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
