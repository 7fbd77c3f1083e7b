/** Unicode's full case folding, in NFC: ẞ becomes ss (by upper case) and a final ς becomes σ. The Turkish ı becomes i. */
export function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}
