import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { entitiesOf, mentionedHandles } from '../../../src/services/posts/entities.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import { scan } from '../../../src/services/posts/scan.ts'
import { accountsOn, handleOf, markSuspended } from '../../support/actors.ts'
import { draft, publish } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser, failure } from '../../support/viewers.ts'

const known = new Map(
  ['ada_1', 'bob', 'dara', 'other', 'repo', 'x'.repeat(30)].map((name, i) => [name, `${i + 1}` as Id]),
)

const entitiesIn = (text: string, accounts = known) => entitiesOf(scan(text), accounts)

/** The entities of a text, as they are written in it. */
const found = (text: string) => entitiesIn(text).map(({ start, end }) => Array.from(text).slice(start, end).join(''))

/** Expects that the entities of each text are these parts of it. */
function expectEntities(expected: Record<string, string[]>): void {
  for (const [text, parts] of Object.entries(expected)) expect(found(text), text).toEqual(parts)
}

test('a hashtag in any script keeps its marks, joiners and digits', () => {
  const words = `हिन्दी ภาษาไทย தமிழ் বাংলা২০২৬ عربي٢٠٢٦ عَرَبِيّ فارسی‌زبان සිංහල ශ්‍රී తెలుగు ಕನ್ನಡ മലയാളം ગુજરાતી ਪੰਜਾਬੀ ଓଡ଼ିଆ မြန်မာ ខ្មែរ ລາວ བོད་ཡིག
    አማርኛ שָׁלוֹם ދިވެހި 日本語 二〇二六年 ひらがな カタカナ ジョン・スミス 한국어 ελληνικά кириллица հայերեն ქართული ᏣᎳᎩ 𞤀𞤣𞤤𞤢𞤥 col·lecció 2026年 a_b1 1a_ ４月`
  for (const word of words.split(/\s+/)) {
    expectEntities({
      [`#${word}`]: [`#${word}`],
      [`(＃${word}), 😀`]: [`＃${word}`],
      [`a #${word}\u200d`]: [`#${word}`],
    })
  }
})

test('a hashtag needs a letter and cannot begin inside a word of a spaced script or after /, & or #', () => {
  expectEntities({
    '#1 #２０２６ #_ #__1 # ## #- #️⃣ #\u0301a': [],
    'a#b C#c é#d 1#e /#f &#g ##h х#и #a#b': ['#a'],
    '你好#天气 ไทย#ไทย 😀#a (#b) end.#c “#d” #e❤️': ['#天气', '#ไทย', '#a', '#b', '#c', '#d', '#e'],
  })
})

test('tags that differ in case or normalization are the same tag', () => {
  const same = [
    'STRASSE straße Straẞe',
    'ΟΔΟΣ οδος οδοσ',
    'ÉTÉ été e\u0301te\u0301',
    'ﬁsch FISCH',
    'МИР мир',
    'ᏣᎳᎩ ꮳꮃꭹ',
    'İ i\u0307',
    '𞤀 𞤢',
  ]
  for (const words of same) {
    const text = words.replace(/^| /g, (gap) => `${gap}#`)
    expect(new Set(entitiesIn(text).map((entity) => entity.kind === 'hashtag' && entity.tag)).size, words).toBe(1)
  }
  expect(entitiesIn('#STRASSE #ΟΔΟΣ')).toMatchObject([{ tag: 'strasse' }, { tag: 'οδοσ' }])
})

test('a mention ends before punctuation, emoji, non-Latin letters and non-ASCII digits', () => {
  const after = `님 さん 你 ไทย हिन्दी תודה عر мир ελ 😀 ❤️ . , ! ? … : ; ) ’s 's - – — 。 、 ！ （ 」 ” » * ~ ٣ ５ / \u200c \u200b \u2069 . .. .. .) : -san`
  for (const rest of after.split(' '))
    expectEntities({ [`@dara${rest}`]: ['@dara'], [`hi ＠DARA${rest} x`]: ['＠DARA'] })
  expectEntities({ [`@${'x'.repeat(30)} @${'x'.repeat(31)} @${'x'.repeat(31)}님`]: [`@${'x'.repeat(30)}`] })
  // A Latin letter or an accent continues the word, and a word with such a character is not a handle.
  expectEntities({ '@daraé @dara\u0301 @daraß @dara１': ['@dara'] })
})

test('an address or a part of a word or URL mentions nobody', () => {
  const none = `@dara@other.example ops@dara.internal git@dara:repo ops@dara @dara.example @dara.пример @dara-b.example @dara:other.example
    ＠dara＠other x＠dara é@dara мир@dara عر@dara हिन्दी@dara 1@dara ٣@dara _@dara .@dara /@dara @@dara #@dara &@dara =@dara \\@dara é\u0301@dara
    ftp://h.example/a,@dara ssh://git@dara/x mailto:ops@dara.example h.example/@dara h.example?by=@dara @dara@dara`
  for (const text of none.split(/\s+/)) expectEntities({ [text]: [] })
  expectEntities({
    'https://h.example/@dara https://u:p@dara:80/@bob https://@dara/': ['https://h.example/@dara'],
    'https://h.example/a?to=@dara,@bob': ['https://h.example/a?to=@dara,@bob'],
  })
})

test('a mention may follow punctuation, emoji, and letters of scripts without spaces', () => {
  const before = `( [ “ « „ ' " , : ; ! ? … - — 。 、 （ 「 😀 ❤️ 1️⃣ ① ~ * + \u200b \u2067 你好 々 〇 ひらがな カタカナー ﾊﾟ 한국 ไทย ที่ ລາວ ខ្មែរ မြန်မာ བོད ㄅㄆ ꦗꦮ`
  for (const word of before.split(' ')) expectEntities({ [`${word}@dara`]: ['@dara'], [`a ${word}@dara님`]: ['@dara'] })
  expectEntities({ '@dara@bob @dara,@bob @dara/@bob @dara你@bob': ['@dara', '@bob', '@dara', '@dara', '@bob'] })
})

test('a link ends before punctuation, quotes and brackets of any script, and before invisible controls', () => {
  const url = 'https://x.example/a'
  const after = `） 」 】 》 。次 、次 ，次 ！ ？ ：次 ； ～ ｜ ＞ ” ’ ’s “b” » › „ <b " \` | ) ] } ). .) ... , ; : ! ? ' * … — ، ؟ ؛ । ॥ ։ ។ ။ ། ። ๛ ‼ ⁇ ⟩ ( [ \u200b \u200f \u202c \u2069 \u061c \u00ad \u3000次 \u00a0b \u2028b`
  for (const rest of after.split(' ')) expectEntities({ [`${url}${rest}`]: [url], [`（${url}${rest}`]: [url] })
  expectEntities({
    [`（${url}）です (${url}) [b](${url}) “${url}” 见${url}。 смотри${url}, _${url} ${url}.`]: Array(8).fill(url),
  })
})

test('a link keeps balanced brackets, letters of any script, and the port, path, query and fragment', () => {
  const links = `https://en.example/wiki/A_(b) https://x.example/a(b[c]{d})e https://x.example/() https://ja.example/wiki/ジョン・スミス https://x.example/हिन्दी
    https://x.example/paral·lel https://x.example/1914–1918 https://x.example/a/ https://x.example/a_ https://x.example/?q=a&b=c#d HTTPS://X.EXAMPLE/ http://münchen.example:80
    https://例え.テスト https://localhost:8787/a http://[::1]:8787/a https://x.example/می‌خواهم https://x.example?a https://x.example/a😀`
  for (const link of links.split(/\s+/))
    expectEntities({ [link]: [link], [`(${link})`]: [link], [`a ${link}, b`]: [link] })
  expectEntities({
    'https://x.example/a)b https://x.example/a(b]c': ['https://x.example/a', 'https://x.example/a(b'],
    'https://x.exampleです https://x.example😀 https://x.example: https://x.example.':
      Array(4).fill('https://x.example'),
    'https:// https://) https://. https://-/ ftp://x.example xhttps://x.example javascript:alert(1)': [],
  })
})

test('without a scheme, only some lowercase domain names are links', () => {
  const none = `README.md main.py main.rs end.It end.it localhost node.js a.b example.de Example.com example.COM EXAMPLE.com x.io deno.dev www.x
    ops@example.com a.b@example.com @example.com /example.com .example.com foo_b.com example.comé example.com@x example.community мирexample.com -.com 1.5 e.g. com`
  for (const text of none.split(/\s+/)) expectEntities({ [text]: [] })
  const links = `example.com a.example.org www.example.de www.example.com/a example.com:8080/a go.dev/a x.io/ example.edu?a=b example.net/a_(b)`
  for (const link of links.split(/\s+/))
    expectEntities({ [link]: [link], [`见${link}。次`]: [link], [`(${link}).`]: [link] })
  expectEntities({ 'example.comです example.com, example.com: b': Array(3).fill('example.com') })
  expect(entitiesIn('example.com/a')).toMatchObject([{ url: 'https://example.com/a' }])
})

test('the offsets of entities count code points', () => {
  expect(entitiesIn('😀👩‍👩‍👧𝒳 @dara 𞤀 #𞤀𞤣 https://x.example/😀')).toMatchObject([
    { kind: 'mention', start: 8, end: 13 },
    { kind: 'hashtag', start: 16, end: 19 },
    { kind: 'link', start: 20, end: 39 },
  ])
})

test('words with @ that name no account are not counted as mentions, and each limit has its own message', () => {
  const words = (prefix: string, many: number) => Array.from({ length: many }, (_, i) => `${prefix}some_${i}`)
  const ids = new Map(words('', 21).map((handle, i) => [handle, `${i + 1}` as Id]))
  const problem = (message: string) => expect.objectContaining({ extra: { errors: [{ field: 'text', message }] } })
  const mentions = words('@', 20).join(' ')
  expect(entitiesIn(`${mentions} ${mentions} ${words('@no', 100).join(' ')}`, ids)).toHaveLength(40)
  expect(() => entitiesIn(words('@', 21).join(' '), ids)).toThrow(problem('mentions more than 20 accounts'))
  expect(entitiesIn(words('#', 50).join(' '), ids)).toHaveLength(50)
  const tooMany = problem('has more than 50 mentions, hashtags and links')
  expect(() => entitiesIn(`${words('#', 50).join(' ')} https://x.example`, ids)).toThrow(tooMany)
  expect(mentionedHandles(scan([...words('@', 200), ...words('@', 200)].join(' ')))).toEqual(words('', 200))
  const lookups = problem('has more than 200 different words with an @')
  expect(() => mentionedHandles(scan(words('@', 201).join(' ')))).toThrow(lookups)
})

test('21 unknown words with @ are accepted after one lookup, and mentions of 21 accounts are refused', async () => {
  const ctx = asUser(ada)
  const text = Array.from({ length: 21 }, (_, i) => `@unknown_${i}`).join(' ')
  expect((await createPost(ctx, draft({ text }))).value.entities).toEqual([])
  expect(ctx.cost).toMatchObject({ trips: 2, directoryTrips: 1, cacheReads: 1 })
  const people = await accountsOn(...Array.from({ length: 21 }, (_, i) => i % 2))
  const mentions = people.map((id) => `@${handleOf(id)}`)
  expect((await publish(ada, { text: mentions.slice(1).join(' ') })).entities).toHaveLength(20)
  await expect(publish(ada, { text: mentions.join(' ') })).rejects.toEqual(failure('invalid'))
})

test('a mention in any letter case links to the account of the handle, and an unknown handle stays text', async () => {
  const handle = handleOf(bob)
  const text = `Hi @${handle.toUpperCase()} and @nobody_there #Été`
  const { entities } = await publish(ada, { text })
  expect(entities).toEqual([
    { kind: 'mention', start: 3, end: 4 + handle.length, accountId: bob, handle },
    { kind: 'hashtag', start: text.indexOf('#'), end: text.length, tag: 'été' },
  ])
})

test('a mention of an account that blocks the author or is suspended stays plain text', async () => {
  await blockAccount(asUser(bob), { accountId: ada })
  await markSuspended(cyd)
  const text = [ada, bob, cyd].map((id) => `@${handleOf(id)}`).join(' ')
  const { entities } = await publish(ada, { text })
  expect(entities.map((entity) => entity.kind === 'mention' && entity.accountId)).toEqual([ada])
})

test('words after @ that cannot be handles cause no KV read and no directory query', async () => {
  const ctx = asUser(ada)
  const text = `@a @café @${'x'.repeat(31)} ops@ada.example @a${'\u1100'.repeat(3_000)}`
  expect((await createPost(ctx, draft({ text }))).value.entities).toEqual([])
  expect(ctx.cost).toMatchObject({ trips: 1, directoryTrips: 0, cacheReads: 0 })
})
