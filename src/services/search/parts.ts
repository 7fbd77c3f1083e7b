const MAX_PARAMETERS = 100

/** Writes rows with several statements, because D1 accepts a hundred parameters in each. */
export function inParts<T, R>(rows: readonly T[], columns: number, write: (part: T[]) => R): R[] {
  const size = Math.floor(MAX_PARAMETERS / columns)
  const starts = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => i * size)
  return starts.map((start) => write(rows.slice(start, start + size)))
}
