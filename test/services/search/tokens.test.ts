import { env } from 'cloudflare:workers'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { languageOf } from '../../../src/services/search/language.ts'
import { indexed, phraseOf, runsOf, tokensOf } from '../../../src/services/search/tokens.ts'
import { insertRows } from '../../support/databases.ts'

const letters = '東京都大阪府人民日本語ひらがなカタカナー한국어กขคำไทยขាកាលາວ中文🎉 a1。'
const Text = fc
  .array(fc.constantFrom(...Array.from(letters)), { minLength: 1, maxLength: 24 })
  .map((list) => list.join(''))

async function found(phrase: string): Promise<number[]> {
  const { results } = await env.INDEX.prepare(
    'select rowid id from post_search where post_search match ? order by rowid',
  )
    .bind(`text : (${phrase})`)
    .all<{ id: number }>()
  return results.map(({ id }) => id)
}

function isSpaceless(word: string): boolean {
  const [run, ...others] = runsOf(word)
  return others.length === 0 && run?.kind === 'spaceless' && run.letters.map(({ char }) => char).join('') === word
}

test('every word of one to four letters of texts without spaces is found where a search letter by letter finds it', async () => {
  const texts = fc.sample(Text, { numRuns: 120, seed: 7 }).map((text) => text.normalize('NFKC'))
  const rows = texts.map((text, i) => ({ rowid: i + 1, text: indexed(text), tags: '', handle: '', facts: '' }))
  await insertRows(env.INDEX, 'post_search', rows)
  const words = new Set<string>()
  for (const text of texts) {
    const points = Array.from(text)
    for (let length = 1; length <= 4; length++)
      for (let at = 0; at + length <= points.length; at++) words.add(points.slice(at, at + length).join(''))
  }
  const searched = [...words].filter(isSpaceless)
  expect(searched.length).toBeGreaterThan(800)
  for (const word of searched) {
    const expected = texts.flatMap((text, i) => (text.includes(word) ? [i + 1] : []))
    expect({ word, ids: await found(phraseOf(word)!) }).toEqual({ word, ids: expected })
  }
  await env.INDEX.prepare('delete from post_search').run()
}, 60_000)

test('offsets of tokens lead back to the text, whatever it contains', () => {
  const Any = fc.string({ unit: 'grapheme', maxLength: 60 })
  fc.assert(
    fc.property(fc.oneof(Text, Any, fc.string({ unit: 'binary' })), (text) => {
      const size = Array.from(text).length
      for (const { token, start, end } of tokensOf(text)) {
        expect(token).toMatch(/^[\p{L}\p{N}\uf8ff]+$/u)
        expect(start >= 0 && start < end && end <= size).toBe(true)
      }
      expect(phraseOf(text) ?? '""').toMatch(/^"[^"]*"( \*)?$/)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['CAFÉ Straße ﬁn', 'café', 'strasse', 'fin'],
  ['１２３ｱｲ', '123'],
  ['مَرْحَبًا', 'مرحبا'],
  ['👍🏽 ❤️', '👍', '❤'],
  ['don’t-stop', 't', 'stop'],
  ['नमस्ते दुनिया', 'नमस्ते'],
  ['a\u200db', 'ab'],
])('%s contains the same words as their plain forms', (text, ...words) => {
  const tokens = tokensOf(text).map(({ token }) => token)
  for (const word of words) expect(tokens).toContain(indexed(word))
})

test.each([
  ['The weather is good and we have cake', 'en'],
  ['Das ist nicht mein Tag', 'de'],
  ['Je ne suis pas dans la maison', 'fr'],
  ['東京タワーに行きました', 'ja'],
  ['今天天气很好', 'zh'],
  ['Привет, как дела', 'ru'],
  ['สวัสดีครับ', 'th'],
  ['zzz 123', null],
  ['', null],
])('the language of "%s" is %s', (text, language) => {
  expect(languageOf(text)).toBe(language)
})
