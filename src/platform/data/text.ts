import { invalid } from '../http/errors.ts'

// All of \p{Cc} but the line feed and the tab.
const CONTROL_CHARACTERS = /[^\P{Cc}\n\t]/gu
const ALL_CONTROL_CHARACTERS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu
/** More marks on one letter than any language has (Stream-Safe Text, UAX #15): ordering long runs of them takes quadratic time. */
const STACKED_MARKS = /\p{M}{31,}/u
/** What leaves a trace on a page: no space of whatever width, no joiner, no filler. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u

/**
 * A text of several lines as it is kept: well-formed, NFC, trimmed, without control characters; empty where there is nothing
 * to see. Throws `invalid` for `field`.
 */
export function cleanText(field: string, text: string): string {
  return cleaned(field, text.replace(CONTROL_CHARACTERS, ''))
}

/** The same for a text of one line, without what turns the direction of the text around it. */
export function cleanLine(field: string, text: string): string {
  return cleaned(field, text.replace(ALL_CONTROL_CHARACTERS, ''))
}

function cleaned(field: string, text: string): string {
  if (STACKED_MARKS.test(text)) throw invalid(field, 'has more than 30 marks on one letter')
  return VISIBLE.test(text) ? text.toWellFormed().normalize('NFC').trim() : ''
}

// Making one takes milliseconds, which no start should spend.
let graphemes: Intl.Segmenter | null = null

/** Throws `invalid` for a text of more than `max` characters as people count them: grapheme clusters (UAX #29). */
export function requireLength(field: string, text: string, max: number): void {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  let length = 0
  for (const _ of graphemes.segment(text)) {
    if (++length > max) throw invalid(field, `is longer than ${max} characters`)
  }
}
