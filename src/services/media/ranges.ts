type Range = { offset: number; length: number }

/** Null means the whole object: the header is absent, malformed or has several ranges (RFC 9110, 14.2 permits this). */
export function rangeOf(header: string | null, size: number): Range | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? []
  if (first === '' && last === '') return null
  if (first === '') return partOf(Math.max(0, size - Number(last)), size - 1, size)
  if (last !== '' && Number(last) < Number(first)) return null
  return partOf(Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1), size)
}

function partOf(offset: number, end: number, size: number): Range | 'unsatisfiable' {
  return offset >= size ? 'unsatisfiable' : { offset, length: end - offset + 1 }
}
