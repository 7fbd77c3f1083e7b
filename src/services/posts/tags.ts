/** Equal for all spellings of a tag: NFC and Unicode's full case folding, except that the Turkish ı becomes i. */
export function foldTag(tag: string): string {
  // Lower case turns ẞ into ß, which upper case turns into SS. Lower case turns a final Σ into ς, which becomes σ here.
  return tag.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}
