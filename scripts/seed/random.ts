/** Pseudo-random numbers, the same for the same seed. */
export type Random = {
  /** At least 0 and less than 1. */
  next: () => number
  /** A whole number, at least 0 and less than `limit`. */
  below: (limit: number) => number
  chance: (probability: number) => boolean
  pick: <T>(list: readonly T[]) => T
  /** Exponentially distributed with this mean. */
  exponential: (mean: number) => number
}

/** The generator sfc32 (Chris Doty-Humphrey, PractRand), which has 128 bits of state. */
export function makeRandom(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1]
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  // Discards the first numbers, because they are similar for similar seeds.
  for (let round = 0; round < 20; round++) next()
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)]!,
    exponential: (mean) => -Math.log(1 - next()) * mean,
  }
}

/** Up to `count` different items of `list`, in random order. */
export function sample<T>(random: Random, list: readonly T[], count: number): T[] {
  const drawn = new Set<number>()
  const wanted = Math.min(count, list.length)
  while (drawn.size < wanted) drawn.add(random.below(list.length))
  return [...drawn].map((index) => list[index]!)
}

/** Returns a function that picks a random index of `weights`, with a probability proportional to the weight. */
export function drawer(random: Random, weights: readonly number[]): () => number {
  let total = 0
  const sums = weights.map((weight) => (total += weight))
  return () => {
    const target = random.next() * total
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! > target) high = middle
      else low = middle + 1
    }
    return low
  }
}
