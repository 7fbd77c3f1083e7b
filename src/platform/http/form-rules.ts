import { decodeUtf8, isUtf8Escaped } from './utf8.ts'

const latin1 = new TextDecoder('latin1')
const MAX_HEADER_BYTES = 4_096

/** The header of a part that is a file: it has a `filename`. Inside the quoted `name`, this text does not count. */
const FILE = /^content-disposition:\s*form-data(?:\s*;\s*name=(?:"[^"]*"|[^\s;"]*))?\s*;\s*filename=/im

/** Whether a name, file name or text is not UTF-8: the parser would replace such bytes. Files may have any bytes. */
export function hasInvalidText(form: Uint8Array, type: string): boolean {
  if (/^application\/x-www-form-urlencoded/i.test(type)) {
    const text = decodeUtf8(form)
    return text === null || !isUtf8Escaped(text)
  }
  return partsOf(form, boundaryIn(type)).some((part) => {
    const headerEnd = find(part.subarray(0, MAX_HEADER_BYTES), '\r\n\r\n', 0)
    const isFile = headerEnd >= 0 && FILE.test(latin1.decode(part.subarray(0, headerEnd)))
    return decodeUtf8(isFile ? part.subarray(0, headerEnd) : part) === null
  })
}

function boundaryIn(type: string): string {
  const [, quoted, plain = ''] = /;\s*boundary=(?:"([^"]*)"|([^\s;]*))/i.exec(type) ?? []
  return `--${quoted ?? plain}`
}

function partsOf(form: Uint8Array, boundary: string): Uint8Array[] {
  const parts: Uint8Array[] = []
  const separator = `\r\n${boundary}`
  let start = find(form.subarray(0, boundary.length), boundary, 0) === 0 ? boundary.length : 0
  for (let at = find(form, separator, start); at >= 0; at = find(form, separator, start)) {
    parts.push(form.subarray(start, at))
    start = at + separator.length
  }
  return [...parts, form.subarray(start)]
}

function find(bytes: Uint8Array, wanted: string, from: number): number {
  const codes = Array.from(wanted, (char) => char.charCodeAt(0))
  const [first = 0] = codes
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (codes.every((code, i) => bytes[at + i] === code)) return at
  }
  return -1
}
