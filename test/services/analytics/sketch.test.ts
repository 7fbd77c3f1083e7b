import { expect, test } from 'vitest'
import { Sketch } from '../../../src/services/analytics/sketch.ts'

/** Different members, the same in each run (SplitMix64). */
function* members(seed: bigint): Generator<string> {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  for (let state = seed; ; ) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n)
    let z = state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    view.setBigUint64(0, z ^ (z >> 31n))
    yield bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
  }
}

test('a sketch is exact up to 1,000 members, also after it was stored', () => {
  const source = members(1n)
  let sketch = new Sketch()
  for (let size = 1; size <= 1_000; size++) {
    const { value } = source.next()
    sketch.add([value, value])
    if (size % 100 === 0) {
      sketch = new Sketch(sketch.toString())
      expect(sketch.size).toBe(size)
    }
  }
  expect(new Sketch('').size).toBe(0)
})

test('from 1,000 to 1,000,000 members, a sketch is wrong by at most 2 %', () => {
  const errors: Record<number, number> = {}
  const source = members(7n)
  const sketch = new Sketch()
  let [size, next] = [0, 1_001]
  while (size < 1_000_000) {
    const more = Array.from({ length: next - size }, () => source.next().value)
    size = next
    sketch.add(more).add(more.slice(0, 100))
    errors[size] = Math.abs(sketch.size - size) / size
    next = Math.min(1_000_000, Math.ceil(size * 1.25))
  }
  expect(Object.keys(errors).length).toBeGreaterThan(25)
  expect(Object.entries(errors).filter(([, error]) => error > 0.02)).toEqual([])
  expect(new Sketch(sketch.toString()).size).toBe(sketch.size)
})
