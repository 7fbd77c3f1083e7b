/** Languages with a script of their own. Japanese comes before Chinese, because it mixes kana with Han. */
const SCRIPTS: [language: string, pattern: RegExp][] = [
  ['ja', /[\p{sc=Hiragana}\p{sc=Katakana}]/gv],
  ['zh', /\p{sc=Han}/gv],
  ['ko', /\p{sc=Hangul}/gv],
  ['th', /\p{sc=Thai}/gv],
  ['lo', /\p{sc=Lao}/gv],
  ['km', /\p{sc=Khmer}/gv],
  ['my', /\p{sc=Myanmar}/gv],
  ['ar', /\p{sc=Arabic}/gv],
  ['he', /\p{sc=Hebrew}/gv],
  ['el', /\p{sc=Greek}/gv],
  ['ru', /\p{sc=Cyrillic}/gv],
  ['hi', /\p{sc=Devanagari}/gv],
]
/** Frequent short words that few of the other languages here share. */
const WORDS: Record<string, string> = {
  en: 'the and is of to in that it you for with this are was have not we my your what how',
  de: 'der die das und ist nicht ich ein eine mit zu den auf für wir es auch sich dem von heute',
  fr: 'le la les et est des une pour dans que pas je nous vous avec sur au du ce il qui',
  es: 'el los las y es en una por con para que no se del como más pero muy mi hoy su',
  pt: 'o os as e é em uma por com para que não se do da como mais mas muito eu um',
  it: 'il lo gli e è in una per con che non si del della come più ma molto mi di un',
  nl: 'de het een en is van ik niet dat met voor op zijn er maar ook aan wij dit naar te',
}
const WORD_LISTS = Object.entries(WORDS).map(([language, words]) => [language, new Set(words.split(' '))] as const)
const LETTERS = /\p{L}/gu
const SHARE = 0.3

export const languages = [...SCRIPTS.map(([language]) => language), ...Object.keys(WORDS)]

/** A guess of the language of a text, as an ISO 639-1 code: by its script, or by its most frequent words. Null if unclear. */
export function languageOf(text: string): string | null {
  const letters = text.match(LETTERS)?.length ?? 0
  if (letters === 0) return null
  for (const [language, pattern] of SCRIPTS) {
    const own = text.match(pattern)?.length ?? 0
    if (own > letters * SHARE || (language === 'ja' && own > 2)) return language
  }
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  const scores = WORD_LISTS.map(([language, list]) => ({
    language,
    hits: words.filter((word) => list.has(word)).length,
  }))
  const [best, second] = scores.sort((a, b) => b.hits - a.hits)
  return best && best.hits > 0 && best.hits > (second?.hits ?? 0) ? best.language : null
}
