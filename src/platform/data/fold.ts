/** Equal for all cases of a text: NFC and Unicode's full case folding, except that the Turkish ı becomes i. */
export function foldCase(text: string): string {
  // Lower case turns ẞ into ß, which upper case turns into SS. Lower case turns a final Σ into ς, which becomes σ here.
  return text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}
