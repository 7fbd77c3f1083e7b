/** The characters that look like each Latin letter in common fonts, without those that NFKD already replaces. */
const LOOKALIKES: Record<string, string> = {
  a: 'аАαΑɑᴀꭺᎪ⍺ꓮⲀⲁæ',
  b: 'вВВьЬβΒʙɓƀᏴꓐⲂ',
  c: 'сСϲϹᴄᏟꓚⲤⲥ¢ɔƈ©',
  d: 'ԁԀԂᎠꓓᴅđɗðÐ',
  e: 'еЕєЄεΕᴇᎬꓰҽɛⲈɘə℮',
  f: 'ϝꜰꓝƒғҒ',
  g: 'ɡɢᏀꓖցԍǥɠ',
  h: 'һҺнНΗհᎻꓧʜⲎħЋђ',
  i: 'іІιΙɩıɪᎥᏆꮖꓲⲒⲓӀӏlLʟᏞꓡⅬǀ∣ӏłŁƖɭɫ×լⵏ',
  j: 'јЈϳᎫꓙᴊյɉ',
  k: 'кКκΚᴋᏦꓗⲔқҚƙҟ',
  m: 'мМΜᴍᎷꓟⲘ',
  n: 'пПηΝɴꓠⲚոռиИйƞŋђ',
  o: 'оОοΟσᴏꓳⲞⲟօՕøØ௦०໐๐○◯〇ө',
  p: 'рРρΡᴘᏢꓑⲢⲣþ',
  q: 'ԛԚգզ',
  r: 'гГʀᏒꓣᴦɾɼяЯⲄɍ',
  s: 'ѕЅꜱᏚꓢսՏꙅʂ§',
  t: 'тТτΤᴛᎢꓔⲦŧƭ†',
  u: 'υμᴜꓴʋսц',
  v: 'νѵѴᴠᏙꓦ∨',
  w: 'ԝԜѡѠωᴡᎳꓪшШщաɯ',
  x: 'хХχΧꓫⲬ',
  y: 'уУүҮγΥʏᎩꓬⲨɣўყ',
  z: 'ᴢΖᏃꓜʐƶȥ',
}
const LEET: Record<string, string> = {
  ...{ 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', 8: 'b', 9: 'g' },
  ...{ '@': 'a', $: 's', '!': 'i', '|': 'i', '€': 'e', '+': 't' },
}
/** Where alphabets begin that NFKD does not replace: regional indicators, and letters in black circles and squares. */
const ALPHABETS = [0x1f1e6, 0x1f150, 0x1f170]
/** Pairs that look like one letter in small sizes. */
const PAIRS = { rn: 'm', nn: 'm', vv: 'w', cl: 'd', ci: 'd' }

// Created on first use, because few requests compare names.
let table: Map<string, string> | null = null

function lookalikes(): Map<string, string> {
  table ??= new Map([
    ...Object.entries(LOOKALIKES).flatMap(([letter, others]) => Array.from(others, (char) => [char, letter] as const)),
    ...ALPHABETS.flatMap((first) =>
      Array.from('abcdefghijklmnopqrstuvwxyz', (letter, i) => [String.fromCodePoint(first + i), letter] as const),
    ),
  ])
  return table
}

/**
 * A text in the letters that it looks like, for comparison only: `Аdmіn` (with Cyrillic letters) and `𝐀𝐃𝐌𝐈𝐍` become
 * `admin`, `adrnin` becomes `admin`. The letters i and l become i. ASCII digits and symbols stay.
 */
export function lookOf(text: string): string {
  const plain = text.normalize('NFKD').replace(/[\p{M}\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, '')
  const upper = Array.from(plain, (char) => lookalikes().get(char) ?? char).join('')
  const lower = Array.from(upper.toLowerCase(), (char) => lookalikes().get(char) ?? char).join('')
  return lower.replace(/rn|nn|vv|c[li]/g, (pair) => Reflect.get(PAIRS, pair))
}

/** How a text may be read, if digits and symbols stand for letters: everywhere, only before a letter, or nowhere. */
export function readings(text: string): string[] {
  const read = (pattern: RegExp) => lookOf(text.replace(pattern, (char) => LEET[char] ?? char))
  return [...new Set([read(/[\d@$!|€+]/g), read(/[\d@$!|€+](?=[\p{L}\d@$!|€+]*\p{L})/gu), lookOf(text)])]
}
