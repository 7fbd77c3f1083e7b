import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanLine, cleanText, requireLength } from '../../../src/platform/data/text.ts'

const both = (text: string) => [cleanText('text', text), cleanLine('name', text)]
const invalid = (message: string) =>
  expect.objectContaining({ extra: { errors: [{ field: 'text', message: expect.stringContaining(message) }] } })

test.each([
  ['CR LF', '\r\n', '\n'],
  ['carriage return', '\r', '\n'],
  ['line feed', '\n', '\n'],
  ['vertical tab', '\v', '\n'],
  ['form feed', '\f', '\n'],
  ['file, group and record separator', '\x1c\x1d\x1e', '\n\n\n'],
  ['next line', '\x85', '\n'],
  ['line separator', '\u2028', '\n'],
  ['paragraph separator', '\u2029', '\n'],
  ['tab', '\t', ' '],
  ['unit separator', '\x1f', ' '],
  ['no-break space', '\xa0', '\xa0'],
  ['ideographic space', '\u3000', '\u3000'],
])('words stay apart at a %s', (_, separator, kept) => {
  expect(both(`one${separator}two`)).toEqual([`one${kept}two`, `one${kept.replace(/\n+/, ' ')}two`])
  expect(both(`${separator}one${separator}`)).toEqual(['one', 'one'])
})

test('control characters that separate nothing are deleted', () => {
  for (let code = 0; code < 0xa0; code++) {
    const char = String.fromCharCode(code)
    if (!/\p{Cc}/u.test(char) || '\t\n\v\f\r\x1c\x1d\x1e\x1f\x85'.includes(char)) continue
    expect(both(`a${char}b`), escape(char)).toEqual(['ab', 'ab'])
  }
})

test.each([
  ['zero-width', '\u200b\u200c\u200d\u2060\ufeff'],
  ['soft hyphen and grapheme joiner', '\u00ad\u034f'],
  ['bidirectional controls', '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c'],
  ['variation selectors', '\ufe00\ufe0e\ufe0f\u{e0100}\u{e01ef}\u180b'],
  ['tags', '\u{e0001}\u{e0041}\u{e007f}'],
  ['fillers', '\u115f\u1160\u3164\uffa0\u17b4\u17b5'],
  ['annotation and invisible operators', '\ufff9\ufffa\ufffb\u2061\u2064\u206a\u206f'],
  ['unassigned ignorable', '\u2065\ufff0\u{e0fff}'],
])('invisible characters are deleted: %s', (_, chars) => {
  for (const char of [...chars, chars]) {
    expect(both(`a${char}b`), escape(char)).toEqual(['ab', 'ab'])
    expect(both(` ${char}\n${char}`), escape(char)).toEqual(['', ''])
  }
})

test.each([
  ['a ZWJ emoji', '👩‍🚀 🏳️‍⚧️ 🕵🏻‍♂️ ⛹️‍♀️ ❤️‍🔥 👩🏽‍❤️‍💋‍👨🏿'],
  ['an emoji or text presentation', '❤️ ☎︎ ©️ ↔️'],
  ['a keycap', '1️⃣ #️⃣'],
  ['a flag', '🇳🇴 🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ['Persian', 'می‌خواهم'],
  ['Hindi', 'क्‍ष शक्‌ति'],
  ['Sinhala', 'ශ්‍රී'],
  ['Malayalam, at the end of a word', 'അവന്‍ വന്നു'],
  ['Khmer, between words', 'ខ្ញុំ\u200bស្រលាញ់'],
  ['a Japanese ideograph with a variant', '葛\u{e0100}飾区'],
  ['Mongolian', '\u1820\u180b\u1836\u180e\u1820'],
  ['an Arabic number sign', '\u0600'],
])('what a reader needs is kept: %s', (_, text) => {
  expect(both(` ${text}\n`)).toEqual([text.normalize('NFC'), text.normalize('NFC')])
})

test('directional marks are kept in texts with right-to-left letters, and never in names', () => {
  expect(both('\u200f(C++) שלום')).toEqual(['\u200f(C++) שלום', '(C++) שלום'])
  expect(both('\u061cعربي\u202e')).toEqual(['\u061cعربي', 'عربي'])
})

test('a text of blank characters alone becomes empty', () => {
  for (const text of ['', ' \n\t', '\u2800', '\u3000', '\u2800\u200d\u2800']) expect(both(text)).toEqual(['', ''])
})

test('half of a surrogate pair and more than 30 stacked marks are refused, also around invisible characters', () => {
  for (const text of ['\ud800', 'a\udc00b', '\ude00\ud83d']) {
    expect(() => cleanText('text', text)).toThrowError(invalid('is not valid Unicode'))
  }
  const marks = '\u0301'.repeat(16)
  expect(() => cleanText('text', `a${marks}\u00ad${marks}`)).toThrowError(invalid('30 combining marks'))
})

const pieces = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...'\r\n\v\f\t\x1c\x1f\x85\u2028\u200b\u200c\u200d\u200f\u202e\u00ad\ufe0f\u{e0067}\u{e007f}\u034f'),
  fc.constantFrom(...'aשمी्ක්ไកកㄱᅡ葛1#👩🚀🏴❤🏽🇳\u0301\u0316\u094d\u180b\u1820'),
)
const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''))
const wordsOf = (text: string) => text.split(/\s+/).filter(Boolean)

test('cleaning a clean text changes nothing', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const [multi, line] = both(text) as [string, string]
      expect([cleanText('text', multi), cleanLine('name', line)]).toEqual([multi, line])
    }),
    { numRuns: 20_000 },
  )
})

test('cleaning never joins two words, and never splits one', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const words = Array.from(text, (char) => ('\x1c\x1d\x1e\x1f\x85'.includes(char) ? ' ' : char))
        .join('')
        .split(/\p{White_Space}/u)
      const cleanWords = words.flatMap((word) => wordsOf(cleanLine('name', word)))
      const spaced = both(text).map((clean) => wordsOf(clean).filter((word) => cleanLine('name', word) !== ''))
      expect(spaced[1]).toEqual(cleanWords)
      expect(spaced[0]!.map((word) => cleanLine('name', word))).toEqual(cleanWords)
    }),
    { numRuns: 20_000 },
  )
})

test('length is counted in grapheme clusters', () => {
  for (const text of ['ab', '👩‍🚀👩‍🚀', 'e\u0301e\u0301', '🏴󠁧󠁢󠁳󠁣󠁴󠁿🇳🇴', '\r\na']) {
    requireLength('text', text, { characters: 2, bytes: 100 })
    const exceeded = () => requireLength('text', text, { characters: 1, bytes: 100 })
    expect(exceeded, text).toThrowError(invalid('is longer than 1 characters'))
  }
})

test('bytes are bounded too, so that one emoji cannot take kilobytes, and the error names the exceeded bound', () => {
  const emoji = `👩${'\u200d👩'.repeat(100)}`
  const bounds = { characters: 10, bytes: 200 }
  expect(() => requireLength('text', emoji, bounds)).toThrowError(
    invalid('takes 704 bytes in UTF-8, which is more than 200'),
  )
  expect(() => requireLength('text', 'x'.repeat(201), bounds)).toThrowError(invalid('is longer than 10 characters'))
  requireLength('text', '👩‍👩‍👧‍👦'.repeat(8), bounds)
})
