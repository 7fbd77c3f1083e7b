const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

export const termsOf = (query: string): string[] => plain(query).split(/\s+/).filter(Boolean)

export function matches(text: string | undefined, terms: readonly string[]): boolean {
  if (text === undefined) return false
  const searched = plain(text)
  return terms.every((term) => searched.includes(term))
}
