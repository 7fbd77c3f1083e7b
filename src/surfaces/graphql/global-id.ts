/** The id of a record in the whole graph: its kind and its id, in base64url. Clients treat it as opaque. */
export function globalId(noun: string, id: string): string {
  return new TextEncoder().encode(`${noun}:${id}`).toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** The kind and id of a global id; null for any other text. */
export function readGlobalId(text: string): { noun: string; id: string } | null {
  if (!/^[\w-]{4,80}$/.test(text)) return null
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: 'base64url', lastChunkHandling: 'loose' })
    const [, noun, id] = /^([A-Z]\w*):(\w+)$/.exec(new TextDecoder().decode(bytes)) ?? []
    return noun && id ? { noun, id } : null
  } catch {
    return null
  }
}

/** The id that an operation takes: that of a global id, or the text itself. Null if it is the id of another kind. */
export function recordId(text: string, noun: string | null): string | null {
  const found = readGlobalId(text)
  if (!found) return text
  return noun === null || found.noun === noun ? found.id : null
}
