import { runsOf, type Token, tokensOf, tokensOfRun } from './tokens.ts'
import type { Snippet } from './views.ts'

const LENGTH = 160
const BEFORE = 40
const DIACRITICS = /\p{M}/gu

/** Where the text has the words of the query. SQLite compares without diacritics, so this does too. */
export function snippetOf(text: string, wanted: readonly string[]): Snippet {
  const phrases = wanted.map(wordsOf).filter((phrase) => phrase.length > 0)
  const tokens = tokensOf(text)
  const plain = tokens.map(({ token }) => withoutDiacritics(token))
  const found = phrases.flatMap((phrase) => placesOf(phrase, plain, tokens))
  const highlights = merged(found.sort((a, b) => a.start - b.start))
  const size = Array.from(text).length
  const first = highlights[0]?.start ?? 0
  const start = first < LENGTH - BEFORE ? 0 : Math.min(first - BEFORE, Math.max(0, size - LENGTH))
  const end = Math.min(size, start + LENGTH)
  return { start, end, highlights: highlights.filter((each) => each.start >= start && each.end <= end) }
}

type Span = { start: number; end: number }

export function wordsOf(text: string): string[] {
  const runs = runsOf(text)
  return runs.flatMap((run) => tokensOfRun(run, run === runs.at(-1)).map(({ token }) => withoutDiacritics(token)))
}

const withoutDiacritics = (token: string) => token.normalize('NFD').replace(DIACRITICS, '')

function placesOf(phrase: readonly string[], plain: readonly string[], tokens: readonly Token[]): Span[] {
  return plain.flatMap((_, at) => {
    const isHere = phrase.every((token, i) => plain[at + i] === token)
    const [first, last] = [tokens[at], tokens[at + phrase.length - 1]]
    return isHere && first && last ? [{ start: first.start, end: last.end }] : []
  })
}

function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans) {
    const last = result.at(-1)
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end)
    else result.push({ ...span })
  }
  return result
}
