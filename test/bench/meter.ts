/** What the Worker has used of Cloudflare's services, such as `D1.rowsWritten`, `HUB.calls` or `Hub.rowsRead`. */
export const used: Record<string, number> = {}

export function add(what: string, count: number): void {
  used[what] = (used[what] ?? 0) + count
}

const realNow = Date.now
let passedMs = 0
/** Lets time pass for the whole isolate. Alarms stay at their real time. */
export function moveClock(ms: number): void {
  passedMs += ms
  Date.now = () => realNow() + passedMs
}

type Method = (this: object, ...args: unknown[]) => unknown

const wrapped = new WeakSet<object>()
/** Replaces methods of the prototype of `sample`, once: so everything that the isolate does is counted, however it got there. */
function wrap(sample: object, names: string[], around: (real: Method, name: string) => Method): void {
  const prototype = Object.getPrototypeOf(sample)
  if (wrapped.has(prototype)) return
  wrapped.add(prototype)
  for (const name of names) {
    const real = Reflect.get(prototype, name)
    if (typeof real === 'function') Object.defineProperty(prototype, name, { value: around(real, name) })
  }
}

/** Counts calls that `sample` and its like make. */
const count = (sample: object, what: string, names: string[], amount = (_args: unknown[]) => 1) =>
  wrap(
    sample,
    names,
    (real) =>
      function (...args) {
        add(what, amount(args))
        return Reflect.apply(real, this, args)
      },
  )

let isMetered = false
const nameOf = new WeakMap<object, string>()

export function meterBindings(env: Env): void {
  if (isMetered) return
  isMetered = true
  for (const [name, binding] of Object.entries(env)) {
    if (typeof binding !== 'object' || binding === null) continue
    nameOf.set(binding, name)
    if ('withSession' in binding) meterD1(binding)
    if ('getByName' in binding) meterNamespace(binding)
    if ('sendBatch' in binding) {
      const amount = ([messages]: unknown[]) => (Array.isArray(messages) ? messages.length : 1)
      count(binding, 'Queues.messages', ['send', 'sendBatch'], amount)
    }
    if ('getWithMetadata' in binding) meterStore(binding, 'KV', ['get', 'getWithMetadata'], ['put', 'delete', 'list'])
    if ('createMultipartUpload' in binding) meterStore(binding, 'R2', ['get', 'head'], ['put', 'list'])
  }
}

function meterStore(binding: object, kind: string, reads: string[], writes: string[]): void {
  const prototype = Object.getPrototypeOf(binding)
  if (wrapped.has(prototype)) return
  wrap(binding, [...reads, ...writes], (real, name) => {
    const what = `${kind}.${reads.includes(name) ? 'reads' : 'writes'}`
    return function (...args) {
      add(what, 1)
      return Reflect.apply(real, this, args)
    }
  })
}

function meterD1(database: D1Database): void {
  const tally = (real: Method): Method =>
    async function (...args) {
      add('D1.trips', 1)
      for (const table of tablesIn([this, ...args].flat())) add(`D1.trips.${table}`, 1)
      const answer = (await Reflect.apply(real, this, args)) as D1Result | D1Result[]
      for (const { meta } of [answer].flat()) {
        add('D1.rowsRead', meta.rows_read)
        add('D1.rowsWritten', meta.rows_written)
      }
      return answer
    }
  const session = database.withSession()
  wrap(session, ['batch'], tally)
  wrap(session.prepare('SELECT 1'), ['all'], tally)
}

/** The tables that prepared statements begin with. */
function tablesIn(given: unknown[]): Set<string> {
  const texts = given.map((each) => String(Reflect.get(Object(each), 'statement')))
  return new Set(texts.flatMap((text) => /\b(?:from|into|update)\s+"?(\w+)/i.exec(text)?.slice(1) ?? []))
}

/** Counts the calls of the objects' methods. Calls are billed as requests. */
function meterNamespace(namespace: object): void {
  wrap(
    namespace,
    ['get', 'getByName'],
    (real) =>
      function (...args) {
        const what = `${nameOf.get(this) ?? 'an object'}.calls`
        const stub = Reflect.apply(real, this, args) as object
        return new Proxy(stub, {
          get: (_, method) => {
            const value = Reflect.get(stub, method)
            if (typeof value !== 'function') return value
            return (...given: unknown[]) => {
              add(what, 1)
              return Reflect.apply(value, stub, given)
            }
          },
        })
      },
  )
}

// biome-ignore lint/suspicious/noExplicitAny: what TypeScript requires of a mixin's constructor
type ObjectClass = abstract new (...args: any[]) => object

/** A Durable Object whose rows, alarms and stored values are counted under `name`. */
export function metered<C extends ObjectClass>(name: string, base: C): C {
  abstract class Metered extends base {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    constructor(...args: any[]) {
      super(...args)
      meterStorage(args[0].storage, name)
    }
  }
  if ('alarm' in base.prototype) {
    const run = Reflect.get(base.prototype, 'alarm') as Method
    Object.defineProperty(Metered.prototype, 'alarm', {
      value(...args: unknown[]) {
        add(`${name}.alarms`, 1)
        return Reflect.apply(run, this, args)
      },
    })
  }
  return Metered
}

function meterStorage(storage: DurableObjectStorage, name: string): void {
  for (const each of [storage, storage.sql]) nameOf.set(each, name)
  wrap(
    storage.sql,
    ['exec'],
    (real) =>
      function (...args) {
        const cursor = Reflect.apply(real, this, args) as SqlStorageCursor<Record<string, SqlStorageValue>>
        // Callers read a cursor at once, so its counters are final a microtask later.
        queueMicrotask(() => {
          add(`${nameOf.get(this)}.rowsRead`, cursor.rowsRead)
          add(`${nameOf.get(this)}.rowsWritten`, cursor.rowsWritten)
        })
        return cursor
      },
  )
  const kinds = { rowsRead: ['get', 'getAlarm'], rowsWritten: ['put', 'delete', 'setAlarm', 'deleteAlarm'] }
  wrap(storage, Object.values(kinds).flat(), (real, method) => {
    const kind = kinds.rowsRead.includes(method) ? 'rowsRead' : 'rowsWritten'
    return function (...args) {
      add(`${nameOf.get(this)}.${kind}`, 1)
      return Reflect.apply(real, this, args)
    }
  })
}
