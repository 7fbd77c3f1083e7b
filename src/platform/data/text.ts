import { invalid } from '../failures.ts'
import { withoutIgnorables } from './ignorables.ts'

/** The control characters that separate lines, pages and records (UAX #14, UAX #9), and those that separate words. */
const LINE_BREAKS = '\v\f\r\n\x1c\x1d\x1e\x85\u2028\u2029'
const WORD_BREAKS = '\t\x1f'
const CONTROLS = /\r\n|[\p{Cc}\u2028\u2029]/gu
/** More combining marks than any language uses (UAX #15, Stream-Safe Text): normalizing them takes quadratic time. */
const STACKED_MARKS = /\p{M}{31,}/u
/** Any character except white space and fillers. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u
/** The same for a name, in which combining marks alone do not count either. */
const LEGIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{M}\u2800]/u

/**
 * Normalizes a text to NFC, trims it, and deletes control and invisible characters; empty if nothing is visible. Those
 * that separate become line feeds or spaces, so that words stay apart. Throws `invalid` for `field`.
 */
export function cleanText(field: string, text: string): string {
  return cleaned(field, separated(text), { keepsDirections: true })
}

/** Like `cleanText`, but for a name: a line break becomes a space, and no mark changes the text direction. */
export function cleanLine(field: string, text: string): string {
  const line = cleaned(field, separated(text).replace(/\n+/g, ' '), { keepsDirections: false })
  return LEGIBLE.test(line) ? line : ''
}

function separated(text: string): string {
  return text.replace(CONTROLS, (found) =>
    LINE_BREAKS.includes(found) ? '\n' : WORD_BREAKS.includes(found) ? ' ' : '',
  )
}

function cleaned(field: string, text: string, rules: { keepsDirections: boolean }): string {
  if (!text.isWellFormed()) throw invalid(field, 'is not valid Unicode')
  const plain = withoutIgnorables(text, rules)
  if (STACKED_MARKS.test(plain)) throw invalid(field, 'has more than 30 combining marks on one character')
  return VISIBLE.test(plain) ? plain.normalize('NFC').trim() : ''
}

/** The maximum length of a text, in grapheme clusters (UAX #29) and in UTF-8 bytes. One cluster may take many bytes. */
export type Bounds = { characters: number; bytes: number }

/** The bounds for the API document. `maxLength` counts code points, and each code point takes at least one byte. */
export function describeBounds({ characters, bytes }: Bounds, what = 'At most') {
  const description = `${what} ${characters} characters, counted as grapheme clusters, and ${bytes} bytes in UTF-8`
  return { maxLength: bytes, description }
}

// Created on first use, because creating a segmenter takes milliseconds.
let graphemes: Intl.Segmenter | null = null
const encoder = new TextEncoder()

/** Throws `invalid` for a text that exceeds one of its bounds, and says which one. */
export function requireLength(field: string, text: string, { characters, bytes }: Bounds): void {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  let length = 0
  for (const _ of graphemes.segment(text)) {
    if (++length > characters) throw invalid(field, `is longer than ${characters} characters`)
  }
  const size = encoder.encode(text).length
  if (size > bytes) throw invalid(field, `takes ${size} bytes in UTF-8, which is more than ${bytes}`)
}
