import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldCase } from '../../../src/platform/data/fold.ts'
import { type Span, scan } from '../../../src/services/posts/scan.ts'

// The reference for `scan`: one regular expression, which `matchAll` applies from left to right.
const W = '[\\p{L}\\p{Nl}\\p{Nd}_]'
const SPACED = `(?![\\p{L}\\p{Nl}](?<=[${['Han', 'Hira', 'Kana', 'Bopo', 'Hang', 'Thai', 'Lao', 'Khmr', 'Mymr', 'Tibt']
  .concat(['Tale', 'Talu', 'Lana', 'Tavt', 'Java', 'Bali'])
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join('')}]))${W}`
const JOINED = '(?![\\p{Me}\\uFE0E\\uFE0F])[\\p{M}\\u200C\\u200D]'
const apart = (glue: string) => `(?<!(?:[@＠#＃﹟\\/\\\\\\&=${glue}]|${SPACED})(?:${JOINED})*)`
const SIGN = '[^\\P{P}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}]'
const WIDE = '[\\u3000-\\u303F\\uFE10-\\uFE1F\\uFE30-\\uFE6F\\uFF00-\\uFFEF]'
const BRACKET = '[\\(\\)\\[\\]\\{\\}]'
const OUTSIDE = `[\\s\\p{Cc}\\p{Cs}<>"\`\\\\\\|\\^]|(?![\\u200C\\u200D])\\p{Cf}|(?!${BRACKET})[\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}]|(?=[\\p{P}\\p{S}])${WIDE}`
const INSIDE = `(?!${OUTSIDE}|${BRACKET})[^]`
const SOLID = `(?:(?!${SIGN})${INSIDE}|[\\/#_%\\&@\\-])`
const nested = (depth: number): string => {
  const content = depth > 0 ? `(?:${INSIDE}|${nested(depth - 1)})*` : `(?:${INSIDE})*`
  return `(?:\\(${content}\\)|\\[${content}\\]|\\{${content}\\})`
}
const REST = `(?:${INSIDE}|${nested(3)}|[\\(\\[\\{])*(?:${nested(3)}|${SOLID})`
const RUN = `[A-Za-z0-9_.+\\-]`
const HTTP = '(?<![A-Za-z0-9])[Hh][Tt][Tt][Pp][Ss]?:\\/\\/'
const NAME = '[\\p{L}\\p{Nl}\\p{Nd}][\\p{L}\\p{Nl}\\p{Nd}\\p{M}_\\-]*'
const HOST = `(?:${NAME}\\.)*(?:[A-Za-z0-9][\\w\\-]*(?=(?!${SPACED}|\\p{Nd})[\\p{L}\\p{Nl}])|${NAME})(?::[0-9]{1,5}(?!${W}))?`
const WORD = `(?!${HTTP})[A-Za-z0-9_](?:(?!${HTTP})${RUN})*`
const LABELS = '(?:[a-z0-9][a-z0-9\\-]*\\.)+'
const PORT = `(?::[0-9]+(?!${W}))?`
const NAMED = `(?:www\\.${LABELS}[a-z]{2,}|${LABELS}(?:com|net|org|edu|gov|(?:io|dev|app)(?=${PORT}\\/)))`
const REFERENCE = new RegExp(
  [
    `(?<link>${HTTP}(?![\\p{L}\\p{Nl}\\p{M}\\p{Nd}._~:%+\\[\\]\\-]*@)${HOST}(?:(?=[\\/?#])${REST})?)`,
    `(?:${HTTP}|${WORD}:\\/\\/)(?:${REST})?`,
    `(?<domain>${apart('.')}${NAMED}(?=\\.*(?!${RUN}))(?!\\.*(?:[@＠]|${JOINED}|${SPACED}))${PORT}(?:(?=[\\/?#])${REST})?)`,
    `(?<mention>${apart('.')}[@＠][A-Za-z0-9_]{3,30}(?![A-Za-z0-9_@＠]|\\p{Script=Latin}|(?=\\p{M})\\p{Script=Inherited}|(?:[A-Za-z0-9\\-]*|:[A-Za-z0-9\\-]*)\\.${W}))`,
    `(?<hashtag>${apart('')}[#＃﹟](?!\\p{M})(?=(?:[\\p{Nd}_]|(?![\\p{Me}\\uFE0E\\uFE0F])\\p{M})*[\\p{L}\\p{Nl}])(?:[\\p{L}\\p{Nl}\\p{Nd}_]|(?![\\p{Me}\\uFE0E\\uFE0F])\\p{M}|(?<=[\\p{L}\\p{Nl}\\p{M}])[\\u00B7\\u05F3\\u05F4\\u0F0B\\u30FB\\u200C\\u200D](?=[\\p{L}\\p{Nl}\\p{M}]))+)`,
    WORD,
  ].join('|'),
  'gv',
)

const lengthOf = (text: string) => Array.from(text).length

function reference(text: string) {
  return [...text.matchAll(REFERENCE)].flatMap(({ index, groups = {} }): Span[] => {
    const [kind, written] = Object.entries(groups).find(([, group]) => group !== undefined) ?? []
    if (!kind || written === undefined) return []
    const start = lengthOf(text.slice(0, index))
    const span = { start, end: start + lengthOf(written) }
    if (kind === 'mention') return [{ kind, ...span, handle: written.slice(1).toLowerCase() }]
    if (kind === 'hashtag') return [{ kind, ...span, tag: foldCase(written.slice(1)) }]
    return [{ kind: 'link', ...span, url: kind === 'domain' ? `https://${written}` : written }]
  })
}

/** Words in 35 scripts, some with marks and joiners, and digits. */
const WORDS = `café Straße ΟΔΟΣ мир Հայ ქართ שָׁלוֹם عَرَبِي می‌خواهم ܫܠܡܐ ދިވެހި ߒߞߏ हिन्दी বাংলা র‍্যাব ਪੰਜਾਬੀ ગુજરાતી ଓଡ଼ିଆ தமிழ் తెలుగు ಕನ್ನಡ മലയാളം ශ්‍රී ไทย ลาว ລາວ བོད་ཡིག မြန်မာ ខ្មែរ አማርኛ ᏣᎳᎩ ᠮᠣᠩᠭᠣᠯ 你好 々 〇 ひらがな カタカナ ジョン・スミス 한국어 ㄅㄆㄇ ꦗꦮ ꤊꤢ 𞤀𞤁𞤢 𝒳 ５ ٣ ४ ৪ ๕ 7 ½ ①`
const SIGNS = `. , ; : ! ? … — - – _ + * / \\ & = ~ % $ ' " \` ( ) [ ] { } < > « » “ ” ‘ ’ „ （ ） 「 」 【 】 。 、 ！ ？ ， ： ． ・ · । ، ؟ ։ ። ។ ~ ｜ ￥ 😀 👩‍👩‍👧 ❤️ 1️⃣ 🇫🇷 | ^`
const ENTITIES = `@dara @DARA_2 ＠dara @ab @${'x'.repeat(30)} @${'x'.repeat(31)} @ # ＃ ﹟ #a #1 #_ https:// HTTP:// ftp:// https://x.example https://x.example/a http://münchen.de:80? https://例え.jp https://u@h.example/ localhost README.md end.It www.a.example example.com EXAMPLE.com go.dev go.dev/a x.org:8080 www. .com .example dara ops@dara.internal`
const INVISIBLE = ['\u200b', '\u200c', '\u200d', '\u200f', '\u2066', '\u00ad', '\u0301', '\ufe0f', '\ud800', '\u3000']
const pieces = (list: string) => fc.constantFrom(...list.split(' '))
const Piece = fc.oneof(
  { weight: 4, arbitrary: pieces(ENTITIES) },
  { weight: 3, arbitrary: pieces(WORDS) },
  { weight: 3, arbitrary: pieces(SIGNS) },
  { weight: 1, arbitrary: fc.constantFrom(' ', '\n', ...INVISIBLE) },
)

test('entities of random texts in 35 scripts agree with a reference of regular expressions', () => {
  let found = 0
  const property = fc.property(fc.array(Piece, { minLength: 1, maxLength: 12 }), (words) => {
    const text = words.join('')
    const spans = scan(text)
    found += spans.length
    expect(spans, JSON.stringify(text)).toEqual(reference(text))
  })
  fc.assert(property, { seed: 20_261_129, numRuns: 10_000 })
  expect(found).toBeGreaterThan(5_000)
})

test('long texts are scanned in linear time', () => {
  const repeated = `@ # ( [ . - @a #1 #1_ a. a- a.com. www. a:1 https:// https://a: https://a( https://( https://a/. https://a? \u0301 @a: @a- #a\u200d`
  const texts = repeated.split(' ').map((piece) => piece.repeat(200_000 / piece.length))
  for (const text of texts) expect(scan(text).length).toBeLessThanOrEqual(text.length)
  expect(scan(`${texts.join('')} @dara`).at(-1)).toMatchObject({ kind: 'mention', handle: 'dara' })
})

test('folding a tag twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (tag) => {
      expect(foldCase(foldCase(tag))).toBe(foldCase(tag))
    }),
    { seed: 1, numRuns: 300 },
  )
})
