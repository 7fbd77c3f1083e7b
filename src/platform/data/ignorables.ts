// Patterns are created on first use, because compiling Unicode properties takes milliseconds.

const inScripts = (...scripts: string[]) => scripts.map((script) => `\\p{scx=${script}}`).join('')

const MARK = '[\\p{M}--\\p{Default_Ignorable_Code_Point}]'

/** A letter of these scripts with its marks, in any order: the text is normalized only later. */
const lettersOf = (...scripts: string[]) => `[\\p{L}&&[${inScripts(...scripts)}]]${MARK}{0,31}`

/** Scripts in which a joiner or non-joiner changes the shape of letters. */
const JOINING = lettersOf(
  ...['Arab', 'Syrc', 'Mand', 'Mani', 'Nkoo', 'Adlm', 'Rohg', 'Sogd', 'Phag', 'Mong', 'Deva', 'Beng', 'Guru', 'Gujr'],
  ...['Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh', 'Khmr', 'Mymr', 'Tibt', 'Newa', 'Tirh'],
)
/** Scripts in which a zero-width space separates words. */
const SPACELESS = lettersOf('Thai', 'Laoo', 'Khmr', 'Mymr', 'Tale', 'Talu', 'Lana', 'Tavt', 'Java', 'Bali')

const FLAG_OF_REGION = '\\u{1f3f4}[\\u{e0020}-\\u{e007e}]{3,6}\\u{e007f}'
const PICTURE = '[[\\p{Emoji}\\p{Extended_Pictographic}]--[0-9#*]]'
const EMOJI = `(?:${FLAG_OF_REGION}|${PICTURE}(?:\\ufe0e|\\ufe0f?\\p{Emoji_Modifier}?\\ufe0f?))`

/** Ignorable code points, together with the places where they change what a reader sees (UTS #51, UAX #31). */
const MEANINGFUL = [
  `${EMOJI}(?:\\u200d${EMOJI})*`,
  '[0-9#*]\\ufe0f\\u20e3',
  `(?<=${JOINING})(?:\\u200d|\\u200c(?=${MARK}|${JOINING}))`,
  `(?<=${SPACELESS})\\u200b(?=${SPACELESS})`,
  '(?<=\\p{Ideographic})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
  '(?<=[\\p{L}&&\\p{scx=Mong}])[\\u180b-\\u180f]',
]

/** Directional marks, which arrange punctuation and digits in lines of right-to-left scripts. */
const DIRECTIONS = '\u200e\u200f\u061c'

const patterns = () => ({
  any: /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u,
  meaningful: new RegExp(`(${MEANINGFUL.join('|')})|[\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb]`, 'gv'),
  rightToLeft: new RegExp(`[\\p{L}&&[${inScripts('Arab', 'Hebr', 'Syrc', 'Thaa', 'Nkoo', 'Adlm', 'Rohg')}]]`, 'v'),
})
let compiled: ReturnType<typeof patterns> | null = null

/**
 * Deletes invisible code points except where they have a meaning, such as in emoji or between letters of scripts that
 * need joiners. With `keepsDirections`, directional marks stay in texts that contain right-to-left letters.
 */
export function withoutIgnorables(text: string, { keepsDirections }: { keepsDirections: boolean }): string {
  compiled ??= patterns()
  const { any, meaningful, rightToLeft } = compiled
  if (!any.test(text)) return text
  const kept = keepsDirections && rightToLeft.test(text) ? DIRECTIONS : ''
  return text.replace(meaningful, (found, meant?: string) => meant ?? (kept.includes(found) ? found : ''))
}
