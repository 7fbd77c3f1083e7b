const MAX_DEPTH = 16

/** Brackets and strings. A string with a colon after it is a key. Takes linear time, even if a quote is not closed. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"?(\s*:)?|[[\]{}]/gs

/** An escape of half a surrogate pair. It is valid only next to the other half. */
const HALF = /\\u[dD][89a-fA-F]/

/** A flaw that `JSON.parse` would accept: too many levels, a repeated key, or half of a surrogate pair. */
export function flawOf(json: string): string | null {
  // One entry per open bracket: the keys of its object so far, or undefined if it has none yet or is an array.
  const open: (Set<string> | undefined)[] = []
  for (const [token, colon = ''] of json.matchAll(TOKENS)) {
    if (token === '[' || token === '{') {
      if (open.push(undefined) > MAX_DEPTH) return `JSON may be nested at most ${MAX_DEPTH} levels deep`
      continue
    }
    if (token === ']' || token === '}') {
      open.pop()
      continue
    }
    const quoted = token.slice(0, token.length - colon.length)
    if (HALF.test(quoted) && !stringIn(quoted).isWellFormed()) return 'JSON must not contain half of a surrogate pair'
    if (colon === '' || open.length === 0) continue
    const keys = open.pop() ?? new Set<string>()
    const key = stringIn(quoted)
    if (keys.has(key)) return 'JSON must not repeat a key in an object'
    open.push(keys.add(key))
  }
  return null
}

/** Escapes are resolved, because `"\u0061"` is the same key as `"a"`. */
function stringIn(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted // malformed, which the parser reports
  }
}
