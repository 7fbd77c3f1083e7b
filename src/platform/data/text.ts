import { invalid } from '../failures.ts'

// \p{Cc} except for line feed and tab.
const CONTROL_CHARACTERS = /[^\P{Cc}\n\t]/gu
const ALL_CONTROL_CHARACTERS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu
/** More combining marks than any language uses (UAX #15, Stream-Safe Text): normalizing them takes quadratic time. */
const STACKED_MARKS = /\p{M}{31,}/u
/** Any character except white space, joiners and fillers. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Trimmed, well-formed NFC without control characters; empty if nothing is visible. Throws `invalid` for `field`. */
export function cleanText(field: string, text: string): string {
  return cleaned(field, text.replace(CONTROL_CHARACTERS, ''))
}

/** Like `cleanText`, but for one line: also without line breaks, tabs, and marks that change the text direction. */
export function cleanLine(field: string, text: string): string {
  return cleaned(field, text.replace(ALL_CONTROL_CHARACTERS, ''))
}

function cleaned(field: string, text: string): string {
  if (STACKED_MARKS.test(text)) throw invalid(field, 'has more than 30 combining marks on one character')
  return VISIBLE.test(text) ? text.toWellFormed().normalize('NFC').trim() : ''
}

// Created on first use, because creating a segmenter takes milliseconds.
let graphemes: Intl.Segmenter | null = null

/** Throws `invalid` for a text of more than `max` grapheme clusters (UAX #29). */
export function requireLength(field: string, text: string, max: number): void {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  let length = 0
  for (const _ of graphemes.segment(text)) {
    if (++length > max) throw invalid(field, `is longer than ${max} characters`)
  }
}
