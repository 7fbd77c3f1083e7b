import type { Cost } from './cost.ts'

type Wrap = (binding: object, cost: Cost) => object

const COST = Symbol('cost')
const prototypes = new WeakMap<Env, object>()

/** An `env` that adds calls of objects and R2, queue messages and KV reads to `cost`. `data/d1-session.ts` counts D1. */
export function countingEnv(env: Env, cost: Cost): Env {
  return Object.create(prototypeOf(env), { [COST]: { value: cost } })
}

/** Made once per isolate: a copy of all bindings for each request would take longer than all of its middleware. */
function prototypeOf(env: Env): object {
  const known = prototypes.get(env)
  if (known) return known
  const prototype: object = Object.create(env)
  for (const [name, binding] of Object.entries(env)) {
    const wrap = wrapOf(binding)
    if (!wrap) continue
    Object.defineProperty(prototype, name, {
      get(this: { [COST]: Cost }) {
        return wrap(binding, this[COST])
      },
    })
  }
  prototypes.set(env, prototype)
  return prototype
}

/** Recognizes a binding by its methods, so that a new binding is counted without being listed here. */
function wrapOf(binding: unknown): Wrap | null {
  if (typeof binding !== 'object' || binding === null) return null
  if ('getByName' in binding) return countNamespace
  if ('sendBatch' in binding) return countQueue
  if ('getWithMetadata' in binding) return countKv
  if ('createMultipartUpload' in binding) return countBucket
  return null
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
