import { invalid } from '../../platform/failures.ts'
import { phraseOf, runsOf } from './tokens.ts'

const MAX_CHARACTERS = 200
const MAX_TERMS = 10
const NAMES = ['from', 'to', 'has', 'before', 'after', 'lang', 'is', 'min_likes'] as const
type Name = (typeof NAMES)[number]

export type Operator = { name: Name; value: string; isNegated: boolean }
type Term = { text: string; phrase: string; isNegated: boolean }
export type Query = { terms: Term[]; operators: Operator[] }

const PART = /(-?)"([^"]*)"?|(\S+)/gu
const OPERATOR = new RegExp(`^(-?)(${NAMES.join('|')}):(.*)$`, 'isu')

const values: Record<Name, { pattern: RegExp; wanted: string }> = {
  from: { pattern: /^@?\w{1,30}$/, wanted: 'a handle, like from:ada' },
  to: { pattern: /^@?\w{1,30}$/, wanted: 'a handle, like to:ada' },
  has: { pattern: /^(media|link)$/, wanted: 'media or link' },
  before: { pattern: /^\d{4}-\d\d-\d\d$/, wanted: 'a day, like before:2026-01-31' },
  after: { pattern: /^\d{4}-\d\d-\d\d$/, wanted: 'a day, like after:2026-01-31' },
  lang: { pattern: /^[a-z]{2}$/, wanted: 'a language of two letters, like lang:en' },
  is: { pattern: /^reply$/, wanted: 'reply' },
  min_likes: { pattern: /^\d{1,6}$/, wanted: 'a whole number, like min_likes:5' },
}

/** Reads what a person typed. Words of FTS5 such as NEAR are words like others. Throws `invalid` for `q`. */
export function parseQuery(typed: string): Query {
  if (Array.from(typed).length > MAX_CHARACTERS) throw invalid('q', `is longer than ${MAX_CHARACTERS} characters`)
  const parsed: Query = { terms: [], operators: [] }
  for (const [, minus, quoted, part = ''] of typed.matchAll(PART)) {
    const operator = quoted === undefined ? readOperator(part) : null
    if (operator) parsed.operators.push(operator)
    else parsed.terms.push(...readTerm(quoted ?? part.replace(/^-/, ''), minus === '-' || part.startsWith('-')))
  }
  const words = parsed.terms.reduce((count, { text }) => count + runsOf(text).length, 0)
  if (words + parsed.operators.length > MAX_TERMS) throw invalid('q', `has more than ${MAX_TERMS} words and operators`)
  return requireWanted(parsed)
}

function readTerm(text: string, isNegated: boolean): Term[] {
  const phrase = phraseOf(text)
  return phrase ? [{ text, phrase, isNegated }] : []
}

function readOperator(part: string): Operator | null {
  const [, minus = '', name = '', typed = ''] = OPERATOR.exec(part) ?? []
  const known = NAMES.find((each) => each === name.toLowerCase())
  if (!known) return null
  const value = typed.toLowerCase()
  const { pattern, wanted } = values[known]
  const isDay = known === 'before' || known === 'after'
  if (!pattern.test(value) || (isDay && Number.isNaN(Date.parse(value))))
    throw invalid('q', `needs for ${known}: ${wanted}`)
  if (minus && (isDay || known === 'min_likes')) throw invalid('q', `cannot have a minus before ${known}:`)
  return { name: known, value: value.replace(/^@/, ''), isNegated: minus === '-' }
}

const isMatched = ({ name }: Operator) => !['before', 'after', 'min_likes'].includes(name)

function requireWanted(query: Query): Query {
  const wanted = [...query.terms, ...query.operators.filter(isMatched)].filter(({ isNegated }) => !isNegated)
  if (wanted.length > 0) return query
  throw invalid('q', 'needs a word, or one of from:, to:, has:, lang: and is:, without a minus')
}

const FACTS = { has: (value: string) => `has${value}`, lang: (value: string) => `lang${value}`, is: () => 'isreply' }

export function handlesOf({ operators }: Query): string[] {
  return operators.flatMap(({ name, value }) => (name === 'from' || name === 'to' ? [value] : []))
}

/** The expression of FTS5, built of our tokens only. `ids`: the accounts of `handlesOf`. Null if one of these is nobody. */
export function matchOf({ terms, operators }: Query, ids: ReadonlyMap<string, string>): string | null {
  const texts = terms.map(({ phrase, isNegated }) => ({ part: `{text handle} : (${phrase})`, isNegated }))
  const facts = operators.filter(isMatched).map(({ name, value, isNegated }) => {
    const id = ids.get(value)
    const account = id && (name === 'from' ? `a${id}` : `m${id}`)
    const fact = name === 'from' || name === 'to' ? account : Reflect.get(FACTS, name)(value)
    return { part: fact && `facts : "${fact}"`, isNegated }
  })
  const parts = [...texts, ...facts]
  if (parts.some(({ part, isNegated }) => !part && !isNegated)) return null
  const joined = (isNegated: boolean, by: string) =>
    parts.flatMap((each) => (each.isNegated === isNegated && each.part ? [`(${each.part})`] : [])).join(by)
  const without = joined(true, ' OR ')
  return `(${joined(false, ' AND ')})${without && ` NOT (${without})`}`
}

/** Epoch ms of the days that `before:` and `after:` name, the earliest and the latest that all of them allow. */
export function spanOf({ operators }: Query): { from: number | null; until: number | null } {
  const days = (name: Name) => operators.flatMap((each) => (each.name === name ? [Date.parse(each.value)] : []))
  const [from, until] = [days('after'), days('before')]
  return { from: from.length > 0 ? Math.max(...from) : null, until: until.length > 0 ? Math.min(...until) : null }
}

export function minLikesOf({ operators }: Query): number {
  return Math.max(0, ...operators.flatMap(({ name, value }) => (name === 'min_likes' ? [Number(value)] : [])))
}
