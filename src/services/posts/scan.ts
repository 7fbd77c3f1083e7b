import { foldCase } from '../../platform/data/fold.ts'
import { Handle } from '../identity/views.ts'

/** A part of a text. Offsets count code points; `end` is exclusive. */
export type Span = { start: number; end: number } & (
  | { kind: 'mention'; handle: string }
  | { kind: 'hashtag'; tag: string }
  | { kind: 'link'; url: string }
)
type Reading = { end: number; span?: Span }
type Points = readonly string[]

const LETTER = /[\p{L}\p{Nl}]/u
const WORD = /[\p{L}\p{Nl}\p{Nd}_]/u
const MARK = /[[\p{M}\u200c\u200d]--[\p{Me}\ufe0e\ufe0f]]/v
// Letters of these scripts may stand directly before or after an entity: there are no spaces between words (UAX #14:
// SA, ID, AK), or particles are attached (Hangul).
const SPACELESS_SCRIPTS = [
  'Han',
  'Hiragana',
  'Katakana',
  'Bopomofo',
  'Hangul',
  'Thai',
  'Lao',
  'Khmer',
  'Myanmar',
].concat(['Tibetan', 'Tai_Le', 'New_Tai_Lue', 'Tai_Tham', 'Tai_Viet', 'Javanese', 'Balinese'])
const SPACELESS_LETTER = `[[\\p{L}\\p{Nl}]&&[${SPACELESS_SCRIPTS.map((script) => `\\p{scx=${script}}`).join('')}]]`
const SPACELESS = new RegExp(SPACELESS_LETTER, 'v')
const GLUE = /[@＠#＃﹟/\\&=]/u

const AT = /[@＠]/u
const HANDLE = /[A-Za-z0-9_]/
/** After a handle, these letters and marks continue its word, so that it is no handle: `@café` mentions nobody. */
const SAME_WORD = /[\p{sc=Latn}[\p{M}&&\p{sc=Zinh}]]/v
const HOST_LABEL = /[A-Za-z0-9-]/

/** The signs that start a hashtag (UAX #31). With a mark after it, a sign is part of another symbol: a keycap emoji. */
const HASH = /[#＃﹟]/u
const TAG = /[[\p{L}\p{Nl}\p{Nd}\p{M}_]--[\p{Me}\ufe0e\ufe0f]]/v
/** Joiners, and what UAX #31 allows inside words: Catalan middle dot, geresh, gershayim, tsek, katakana middle dot. */
const MEDIAL = /[\u00b7\u05f3\u05f4\u0f0b\u30fb\u200c\u200d]/u
const LETTER_OR_MARK = /[\p{L}\p{Nl}\p{M}]/u

const RUN_START = /[A-Za-z0-9_]/
const RUN = /[A-Za-z0-9_.+-]/
const AUTHORITY = /[\p{L}\p{Nl}\p{M}\p{Nd}._~:@%+[\]-]/u
const LABEL = '[\\p{L}\\p{Nl}\\p{Nd}][\\p{L}\\p{Nl}\\p{M}\\p{Nd}_\\-]*'
/** An ASCII top-level domain ends before a letter of a script without spaces, as it cannot contain one: `a.com日本`. */
const HOST = new RegExp(
  `^(?:\\[[\\da-fA-F:.]+\\]|(?:${LABEL}\\.)*(?:[A-Za-z0-9][\\w\\-]*(?=${SPACELESS_LETTER})|${LABEL}))(?::\\d{1,5}(?!${WORD.source}))?`,
  'v',
)
/** Without a scheme, only lower-case names below these domains are links: `README.md` and `end.It` are not. */
const DOMAIN =
  /^(?:www\.(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,}|(?:[a-z0-9][a-z0-9-]*\.)+(?:com|net|org|edu|gov|(io|dev|app)))(?=\.*$)/
/** What no link contains: spaces, controls, characters that RFC 3986 excludes, quotes, brackets, full-width signs. */
const STOP =
  /[\p{White_Space}\p{Cc}\p{Cs}[\p{Cf}--[\u200c\u200d]]<>"`\\\|^\p{Pi}\p{Pf}[[\p{Ps}\p{Pe}]--[\(\)\[\]\{\}]][[\p{P}\p{S}]&&[\u3000-\u303f\ufe10-\ufe1f\ufe30-\ufe6f\uff00-\uffef]]]/v
const TRAILING = /[\p{P}--[\/#_\-%\&@]]/v
const CLOSING = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
])
const CLOSER = /[)\]}]/

/** Finds mentions, hashtags and links, in order and without overlap, in linear time. */
export function scan(text: string): Span[] {
  const points = Array.from(text)
  const spans: Span[] = []
  let before = ''
  for (let at = 0; at < points.length; ) {
    const { end, span } = readAt(points, at, before)
    if (span) spans.push(span)
    before = baseOf(points, at, end) ?? before
    at = end
  }
  return spans
}

function readAt(points: Points, at: number, before: string): Reading {
  const point = pointAt(points, at)
  if (AT.test(point)) return readMention(points, at, before)
  if (HASH.test(point)) return readHashtag(points, at, before)
  if (RUN_START.test(point)) return readWord(points, at, before)
  return { end: at + 1 }
}

function readMention(points: Points, at: number, before: string): Reading {
  const end = runEnd(points, at + 1, HANDLE)
  const next = pointAt(points, end)
  const isPart = isJoined(before) || before === '.' || SAME_WORD.test(next) || isAddress(points, end)
  const handle = isPart ? undefined : Handle.safeParse(between(points, at + 1, end)).data
  return handle ? { end, span: { kind: 'mention', start: at, end, handle } } : { end: at + 1 }
}

/** Whether what follows makes a handle an address: `@ada@host`, `@ada.example`, `@ada-b.example`, `@ada:b.example`. */
function isAddress(points: Points, end: number): boolean {
  const isDotted = (dot: number) => points[dot] === '.' && WORD.test(pointAt(points, dot + 1))
  const host = points[end] === ':' ? end + 1 : end
  return AT.test(pointAt(points, end)) || isDotted(end) || isDotted(runEnd(points, host, HOST_LABEL))
}

function readHashtag(points: Points, at: number, before: string): Reading {
  const isTag = !isJoined(before) && WORD.test(pointAt(points, at + 1))
  const end = isTag ? tagEnd(points, at + 1) : at + 1
  const tag = between(points, at + 1, end)
  return LETTER.test(tag) ? { end, span: { kind: 'hashtag', start: at, end, tag: foldCase(tag) } } : { end: at + 1 }
}

function tagEnd(points: Points, from: number): number {
  let end = from
  while (end < points.length && (TAG.test(pointAt(points, end)) || joinsLetters(points, end))) end++
  return end
}

function joinsLetters(points: Points, at: number): boolean {
  const isBetween = [at - 1, at + 1].every((near) => LETTER_OR_MARK.test(pointAt(points, near)))
  return isBetween && MEDIAL.test(pointAt(points, at))
}

/** A link, or a word that is no link. Skips other schemes and URLs with a user name, with any mentions in them. */
function readWord(points: Points, at: number, before: string): Reading {
  const end = runEnd(points, at, RUN)
  const run = between(points, at, end)
  if (between(points, end, end + 3) !== '://') return readDomain(points, { at, end, run, before })
  const scheme = /(?<![a-z0-9])https?$/i.exec(run)?.[0]
  const authority = between(points, end + 3, runEnd(points, end + 3, AUTHORITY))
  const host = authority.includes('@') ? undefined : HOST.exec(authority)?.[0]
  if (!scheme || !host) return { end: linkEnd(points, end + 3) }
  return link(points, end - scheme.length, { hostEnd: end + 3 + Array.from(host).length, prefix: '' })
}

type Run = { at: number; end: number; run: string; before: string }

function readDomain(points: Points, { at, end, run, before }: Run): Reading {
  const [domain, needsPath] = DOMAIN.exec(run) ?? []
  const next = pointAt(points, end)
  if (!domain || isJoined(before) || before === '.' || isJoined(next, /[@＠]/u) || MARK.test(next)) return { end }
  const domainEnd = at + domain.length
  const digits = points[domainEnd] === ':' ? runEnd(points, domainEnd + 1, /\d/) : 0
  const hasPort = digits > domainEnd + 1 && !WORD.test(pointAt(points, digits))
  const hostEnd = hasPort ? digits : domainEnd
  if (needsPath && points[hostEnd] !== '/') return { end }
  return link(points, at, { hostEnd, prefix: 'https://' })
}

function link(points: Points, start: number, { hostEnd, prefix }: { hostEnd: number; prefix: string }): Reading {
  const end = /[/?#]/.test(pointAt(points, hostEnd)) ? linkEnd(points, hostEnd) : hostEnd
  return { end, span: { kind: 'link', start, end, url: prefix + between(points, start, end) } }
}

function linkEnd(points: Points, from: number): number {
  const expected: string[] = []
  let end = from
  for (let at = from; at < points.length; at++) {
    const point = pointAt(points, at)
    if (STOP.test(point)) break
    const closing = CLOSING.get(point)
    const closes = CLOSER.test(point)
    if (closing) expected.push(closing)
    if (closes && expected.pop() !== point) break
    if (closes || !TRAILING.test(point)) end = at + 1
  }
  return end
}

function isJoined(neighbor: string, glue = GLUE): boolean {
  return glue.test(neighbor) || (WORD.test(neighbor) && !SPACELESS.test(neighbor))
}

function baseOf(points: Points, start: number, end: number): string | undefined {
  for (let at = end - 1; at >= start; at--) if (!MARK.test(pointAt(points, at))) return points[at]
  return undefined
}

function runEnd(points: Points, from: number, pattern: RegExp): number {
  let end = from
  while (end < points.length && pattern.test(pointAt(points, end))) end++
  return end
}

const pointAt = (points: Points, at: number) => points[at] ?? ''
const between = (points: Points, start: number, end: number) => points.slice(start, end).join('')
