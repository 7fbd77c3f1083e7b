import { type Id, timeOf } from '../../src/platform/data/ids.ts'

/** Whether a client could read an id, or when it was made, out of a text: as it is, or out of base64 or hex, however cut. */
export function tells(text: string, id: Id): boolean {
  const once = decoded(text)
  const readings = [text, ...once, ...once.flatMap(decoded)]
  return readings.some((reading) => spellings(id).some((spelling) => reading.includes(spelling)))
}

/** What base64 and hex could mean in a text, from whichever letter on, a character for a byte. */
function decoded(text: string): string[] {
  const parts = [text, ...text.split(/[^\w+/-]+/)]
  return parts.flatMap((part) =>
    [0, 1, 2, 3].flatMap((start) => [
      Buffer.from(part.slice(start), 'base64').toString('latin1'),
      Buffer.from(part.slice(start), 'hex').toString('latin1'),
    ]),
  )
}

/** The id and its time in digits, in either direction, and as bytes. */
function spellings(id: Id): string[] {
  const numbers = [Number(id), timeOf(id)]
  const digits = numbers.flatMap((number) => [10, 16, 36].map((base) => number.toString(base)))
  const bytes = numbers.map((number) => {
    const hex = number.toString(16)
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('latin1')
  })
  return [...digits, ...bytes].flatMap((spelling) => [spelling, [...spelling].reverse().join('')])
}
