import { expect, test } from 'vitest'
import { cleanLine, cleanText, requireLength } from '../../../src/platform/data/text.ts'

test('a text without visible characters becomes empty', () => {
  const invisible = [
    '',
    ' \n\t',
    '\u200b\u200d',
    '\u2060\ufeff',
    '\u3164\u115f\uffa0',
    '\u2800',
    '\u00ad\u034f',
    '\u202e\ufe0f',
  ]
  for (const text of invisible)
    expect([cleanText('text', text), cleanLine('name', text)], escape(text)).toEqual(['', ''])
})

test('joiners and spaces between visible characters are kept', () => {
  for (const text of ['.', '\u0600', '👩‍🚀', 'می‌خواهم', 'a\u200bb', 'ᄀ\u1160', '🏴󠁧󠁢󠁳󠁣󠁴󠁿']) {
    expect(cleanText('text', ` ${text}\n`)).toBe(text.normalize('NFC'))
  }
})

test('length is counted in grapheme clusters', () => {
  for (const text of ['ab', '👩‍🚀👩‍🚀', 'e\u0301e\u0301', '🏴󠁧󠁢󠁳󠁣󠁴󠁿🇳🇴', '\r\na']) {
    requireLength('text', text, 2)
    expect(() => requireLength('text', text, 1), text).toThrowError(expect.objectContaining({ code: 'invalid' }))
  }
})
