import { type Id, timeOf } from '../../src/platform/data/ids.ts'

/** Whether a client could read an id or its time in a text, plainly or after decoding base64 or hex at any offset. */
export function reveals(text: string, id: Id): boolean {
  const once = decodings(text)
  const readings = [text, ...once, ...once.flatMap(decodings)]
  return readings.some((reading) => spellings(id).some((spelling) => reading.includes(spelling)))
}

/** The text and its parts, decoded from base64 and hex at each of the first four offsets. One character per byte. */
function decodings(text: string): string[] {
  const parts = [text, ...text.split(/[^\w+/-]+/)]
  return parts.flatMap((part) =>
    [0, 1, 2, 3].flatMap((start) => [
      Buffer.from(part.slice(start), 'base64').toString('latin1'),
      Buffer.from(part.slice(start), 'hex').toString('latin1'),
    ]),
  )
}

/** The id and its time in decimal, hex and base 36 and as bytes, forwards and backwards. */
function spellings(id: Id): string[] {
  if (Number.isNaN(Number(id))) return [id]
  const numbers = [Number(id), timeOf(id)]
  const digits = numbers.flatMap((number) => [10, 16, 36].map((base) => number.toString(base)))
  const bytes = numbers.map((number) => {
    const hex = number.toString(16)
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('latin1')
  })
  return [...digits, ...bytes].flatMap((spelling) => [spelling, [...spelling].reverse().join('')])
}
