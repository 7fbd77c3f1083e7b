import { expect, test } from 'vitest'
import { addKey, keyIds } from '../../scripts/keyring.ts'

const before = `k9:${btoa('a'.repeat(32))},k8:${btoa('b'.repeat(32))}`
const after = addKey(before)

test('a new key is put in front of the existing ones, and an invalid keyring is an error', () => {
  expect(keyIds(after)).toEqual(['k10', 'k9', 'k8'])
  expect(after.endsWith(before)).toBe(true)
  expect(() => addKey('k1:short')).toThrow('DATA_KEYS has no key k1 of 32 bytes in base64')
})
