import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { flawOf } from '../../../src/platform/http/json-rules.ts'

const repeats = 'JSON must not repeat a key in an object'

test.each([
  '{"a":1,"a":1}',
  '{"a":1,"b":2,"a":3}',
  '{"a":1 , \n\t"a" \r\n : 2}',
  '{"":1,"":2}',
  '{"a":1,"\\u0061":2}',
  '{"\\u0061":1,"\\u0061":2}',
  '{"\\u00E9":1,"\\u00e9":2}',
  '{"é":1,"\\u00e9":2}',
  '{"😀":1,"\\ud83d\\ude00":2}',
  '{"/":1,"\\/":2}',
  '{"\\"":1,"\\u0022":2}',
  '{"\\\\":1,"\\u005c":2}',
  '{"__proto__":1,"__proto__":2}',
  '{"a":{"b":1,"b":2}}',
  '{"a":{"b":1},"a":{"b":1}}',
  '{"a":[{"b":1},{"c":[{"b":1,"b":2}]}]}',
  '[{"a":1},{"b":1,"b":2}]',
  '{"a":{"x":1},"b":[1,[2,{}]],"a":3}',
])('an object that repeats a key is found in %s', (json) => {
  expect([JSON.parse(json) !== undefined, flawOf(json)]).toEqual([true, repeats])
})

test.each([
  '{}',
  '"a"',
  '[]',
  '{"a":"a"}',
  '{"a":1,"A":2}',
  '{"a":1,"b":{"a":1}}',
  '[{"a":1},{"a":1}]',
  '{"a":{"a":{"a":1}}}',
  '["a","a","a"]',
  '{"a":"\\"a\\":1","b":"\\"a\\":1"}',
  '{"a":":","b":":"}',
  '{"a":"{","b":"}","c":"{\\"a\\":1"}',
  '{"e\\u0301":1,"é":2}',
  '{"\\\\":1,"\\\\\\\\":2}',
  '{"\\\\u0061":1,"a":2}',
  '{"__proto__":1,"constructor":2,"toString":3}',
])('no repeated key is found in %s', (json) => {
  expect([JSON.parse(json) !== undefined, flawOf(json)]).toEqual([true, null])
})

test('the output of JSON.stringify has no flaw, and has one after its objects are made to repeat a key', () => {
  const { tree } = fc.letrec<{ tree: unknown; object: object }>((tie) => ({
    object: fc.dictionary(fc.string({ unit: 'binary', maxLength: 3 }), tie('tree'), { minKeys: 1, maxKeys: 4 }),
    tree: fc.oneof({ maxDepth: 5 }, fc.string({ unit: 'binary' }), tie('object'), fc.array(tie('tree'))),
  }))
  fc.assert(
    fc.property(tree, fc.constantFrom(0, 1, 2), (value, spaces) => {
      const json = JSON.stringify(value, null, spaces)
      expect(flawOf(json)).toBeNull()
      const repeated = json.replaceAll(/\{(\s*)("(?:[^"\\]|\\.)*")(?=\s*:)/g, '{$1$2:null,$2')
      if (repeated !== json && typeof value === 'object') expect(flawOf(repeated)).toBe(repeats)
    }),
  )
})

test('a large object is scanned in linear time', () => {
  // A scan that compares each key with all others would take minutes here and exceed the timeout of the test.
  const keys = Array.from({ length: 60_000 }, (_, i) => `"${i}":0`)
  expect(flawOf(`{${keys.join()}}`)).toBeNull()
  expect(flawOf(`{${keys.join()},"0":0}`)).toBe(repeats)
  expect(flawOf(`{"a"${' '.repeat(300_000)}`)).toBeNull()
  expect(flawOf('{"a" '.repeat(16) + '"a" '.repeat(60_000))).toBeNull()
})
