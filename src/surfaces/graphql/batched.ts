/**
 * Calls `load` once with all keys that are asked for until the next timer, and remembers the values. A key that `load`
 * leaves out has the value null. `waves` sends selects after that timer.
 */
export function batched<K, V>(load: (keys: K[]) => Promise<ReadonlyMap<K, V>>): (key: K) => Promise<V | null> {
  const known = new Map<K, Promise<V | null>>()
  let batch: { keys: K[]; values: Promise<ReadonlyMap<K, V>> } | null = null

  function start() {
    const keys: K[] = []
    const turn = new Promise((resolve) => setTimeout(resolve, 0))
    const values = turn.then(() => {
      batch = null
      return load(keys)
    })
    return { keys, values }
  }

  return (key) => {
    const found = known.get(key)
    if (found) return found
    batch ??= start()
    batch.keys.push(key)
    const value = batch.values.then((values) => values.get(key) ?? null)
    known.set(key, value)
    return value
  }
}
