import { foldCase } from '../../platform/data/fold.ts'
import { invalid } from '../../platform/failures.ts'
import { phraseOf } from './tokens.ts'

/** Fewer letters begin the names of a large part of all accounts. */
const SHORTEST_PREFIX = 2
const MAX_WORDS = 10

/** The exact handle is asked for alone, because it may be older than the newest candidates. */
export function expressionsOf(typed: string): string[] {
  const words = typed.split(/\s+/u).filter((word) => phraseOf(word))
  if (words.length > MAX_WORDS) throw invalid('q', `has more than ${MAX_WORDS} words`)
  const anywhere = words.map((word, i) => {
    const whole = `{handle name bio} : (${phraseOf(word)})`
    const isPrefix = i === words.length - 1 && Array.from(word).length >= SHORTEST_PREFIX
    return isPrefix ? `(${whole} OR {handle name} : (${phraseOf(word, true)}))` : whole
  })
  const handle = foldCase(typed)
  if (!/^\w{2,30}$/.test(handle)) return [anywhere.join(' AND ')]
  return [`handle : ("${handle}")`, `(handle : ("${handle}" *)) OR (${anywhere.join(' AND ')})`]
}
