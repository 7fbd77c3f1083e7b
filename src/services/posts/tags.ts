/** Equal for all spellings of a tag: NFC and Unicode's full case folding, except that the Turkish ı becomes i. */
export function foldTag(tag: string): string {
  // Lowering first turns ẞ into ß, which raising turns into SS. Lowering a final Σ gives ς, which folds to σ.
  return tag.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}
