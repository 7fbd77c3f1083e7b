const MAX_DEPTH = 16

/** Brackets, and strings, each with its following colon, if any: it marks a key. Linear even if a quote is unclosed. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"?(\s*:)?|[[\]{}]/gs

/** A flaw that `JSON.parse` would accept: too many levels or a repeated key. Null if there is none. One linear pass. */
export function flawOf(json: string): string | null {
  // One entry per open bracket: the keys that its object has so far, if any.
  const open: (Set<string> | undefined)[] = []
  for (const [token, colon] of json.matchAll(TOKENS)) {
    if (token === '[' || token === '{') {
      if (open.push(undefined) > MAX_DEPTH) return `JSON may be nested at most ${MAX_DEPTH} levels deep`
    } else if (token === ']' || token === '}') open.pop()
    else if (colon !== undefined && open.length > 0) {
      const keys = open.pop() ?? new Set<string>()
      const key = keyIn(token.slice(0, -colon.length))
      if (keys.has(key)) return 'JSON must not repeat a key in an object'
      open.push(keys.add(key))
    }
  }
  return null
}

/** Escapes are resolved, because `"\u0061"` is the same key as `"a"`. */
function keyIn(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted // malformed, which the parser reports
  }
}
