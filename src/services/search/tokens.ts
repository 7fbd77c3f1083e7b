import { foldCase } from '../../platform/data/fold.ts'

type Letter = { char: string; start: number; end: number }
type Kind = 'word' | 'spaceless' | 'emoji'
export type Run = { kind: Kind; letters: Letter[] }
export type Token = { token: string; start: number; end: number }

const EMOJI = /^[\p{RGI_Emoji}\p{Extended_Pictographic}]$/v
/** A character is normalized with the marks after it, so that offsets lead back to the text. */
const UNIT = /[\p{RGI_Emoji}\p{Extended_Pictographic}]|\P{M}[\p{M}\uff9e\uff9f]*|\p{M}+/gv
const LETTER = '[\\p{L}\\p{N}\\p{M}]'
const SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar']
const SPACELESS = new RegExp(`[${LETTER}&&[${SCRIPTS.map((script) => `\\p{scx=${script}}`).join('')}]]`, 'v')
const WORD = new RegExp(LETTER, 'v')
/** Invisible characters, and marks that writers may omit. U+200B is not one of them, because it separates words. */
const SKIPPED =
  /[[\p{Default_Ignorable_Code_Point}--[\u200b]]\u0640[\p{M}&&[\p{scx=Arab}\p{scx=Hebr}\p{scx=Latn}\p{scx=Grek}\p{scx=Cyrl}]]]/v
const PLAIN = /^[\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}0-9]+$/v
const SKIN_TONE = /(?<=.)[\u{1f3fb}-\u{1f3ff}]/gu
const ENCODED = '\uf8ff'

/** A token that SQLite neither splits nor changes. The encoding of a text begins with that of its beginning. */
export function encoded(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'))
  return ENCODED + units.join('')
}

/** The words, emoji, and runs of letters without spaces between words, of a text in NFKC with folded case. */
export function runsOf(text: string): Run[] {
  const runs: Run[] = []
  let kind: Kind | null = null
  let at = 0
  for (const [unit] of text.matchAll(UNIT)) {
    const end = at + Array.from(unit).length
    const isEmoji = unit > '\u007f' && EMOJI.test(unit)
    for (const char of isEmoji ? [unit] : foldCase(unit.normalize('NFKC'))) {
      if (!isEmoji && SKIPPED.test(char)) continue
      const next = isEmoji ? 'emoji' : kindOf(char)
      const last = runs.at(-1)
      const letter = { char, start: at, end }
      if (next !== null && next === kind && next !== 'emoji') last?.letters.push(letter)
      else if (next) runs.push({ kind: next, letters: [letter] })
      kind = next
    }
    at = end
  }
  return runs
}

function kindOf(char: string): Kind | null {
  if (SPACELESS.test(char)) return 'spaceless'
  return WORD.test(char) ? 'word' : null
}

/**
 * The tokens of a run. Without spaces between words, these are all pairs of letters, and the last letter alone, so that
 * every letter begins a token. `isOpen`: the run may continue in the text that is searched.
 */
export function tokensOfRun({ kind, letters }: Run, isOpen = false): Token[] {
  const [first, last] = [letters[0], letters.at(-1)]
  if (!first || !last) return []
  const whole = letters.map(({ char }) => char).join('')
  if (kind === 'emoji') {
    return [{ ...last, token: encoded(whole.replaceAll('\ufe0f', '').replace(SKIN_TONE, '')) }]
  }
  if (kind === 'word') {
    return [{ start: first.start, end: last.end, token: PLAIN.test(whole) ? whole : encoded(whole) }]
  }
  const pairs = letters.slice(1).map((second, i): Token => {
    const { char, start } = letters[i] ?? second
    return { start, end: second.end, token: encoded(char + second.char) }
  })
  return isOpen && pairs.length > 0 ? pairs : [...pairs, { ...last, token: encoded(last.char) }]
}

export function tokensOf(text: string): Token[] {
  return runsOf(text).flatMap((run) => tokensOfRun(run))
}

export function indexed(text: string): string {
  return tokensOf(text)
    .map(({ token }) => token)
    .join(' ')
}

/** A phrase of FTS5 for a part of a text. With `isPrefix`, its last word may continue. Null if the text has no words. */
export function phraseOf(text: string, isPrefix = false): string | null {
  const runs = runsOf(text)
  const last = runs.at(-1)
  if (!last) return null
  const tokens = runs.flatMap((run) => tokensOfRun(run, run === last))
  const isOneLetter = last.kind === 'spaceless' && last.letters.length === 1
  const phrase = `"${tokens.map(({ token }) => token).join(' ')}"`
  return isOneLetter || (isPrefix && last.kind === 'word') ? `${phrase} *` : phrase
}
