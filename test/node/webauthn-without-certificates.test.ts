import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { AsnParser, Certificate, ECDSASigValue } from '../../scripts/webauthn-without-certificates.ts'

const padded = (integer: Uint8Array, size: number) => Buffer.concat([Buffer.alloc(size), integer]).subarray(-size)

test.each([
  ['P-256', 32],
  ['P-384', 48],
])('the integers of 300 signatures of %s are found', (namedCurve, size) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  for (let i = 0; i < 300; i++) {
    const message = Buffer.from(`message ${i}`)
    const { r, s } = AsnParser.parse(sign('sha256', message, privateKey), ECDSASigValue)
    const raw = Buffer.concat([padded(r, size), padded(s, size)])
    expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true)
  }
})

test.each([
  ['nothing', []],
  ['no integers', [0x30, 0]],
  ['one integer', [0x30, 3, 2, 1, 5]],
  ['three integers', [0x30, 9, 2, 1, 5, 2, 1, 5, 2, 1, 5]],
  ['an empty integer', [0x30, 5, 2, 0, 2, 1, 5]],
  ['bytes after the sequence', [0x30, 6, 2, 1, 5, 2, 1, 5, 0]],
  ['a sequence cut short', [0x30, 6, 2, 1, 5, 2, 1]],
  ['an integer longer than the sequence', [0x30, 6, 2, 1, 5, 2, 9, 5]],
  ['a long form of the length', [0x30, 0x81, 6, 2, 1, 5, 2, 1, 5]],
  ['another type', [0x31, 6, 2, 1, 5, 2, 1, 5]],
])('a signature with %s is refused', (_, bytes) => {
  expect(() => AsnParser.parse(Uint8Array.from(bytes), ECDSASigValue)).toThrow('signature')
})

test('certificates are refused', () => {
  expect(() => AsnParser.parse(Uint8Array.of(0x30, 0), Certificate)).toThrow('certificates')
})
