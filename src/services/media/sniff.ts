const signatures = {
  'image/jpeg': /^ffd8ff/,
  'image/png': /^89504e470d0a1a0a/,
  'image/gif': /^47494638(37|39)61/,
  'image/webp': /^52494646.{8}57454250/,
}
const HEAD_BYTES = 4_096
/** The end record of a ZIP file begins within this many bytes of the end of the file. */
const TAIL_BYTES = 65_557

const foreign = new RegExp(
  [
    '%PDF-',
    '%!PS-',
    'PK(?:\\x05\\x06|\\x06\\x07)\\0{4}',
    'Rar!\\x1a\\x07',
    '__HALT_COMPILER',
    '<(?:!doctype|html|body|script|iframe|\\?php|svg[\\s>])',
    '</(?:html|body|script|svg)>',
  ].join('|'),
  'i',
)

export function imageTypeOf(bytes: Uint8Array): string | null {
  const start = bytes.subarray(0, 12).toHex()
  const found = Object.entries(signatures).find(([, signature]) => signature.test(start))
  return found ? found[0] : null
}

/** Whether other programs would accept the image as a document, an archive or a script. */
export function isPolyglot(bytes: Uint8Array): boolean {
  const latin1 = new TextDecoder('latin1')
  const places = [bytes.subarray(0, HEAD_BYTES), bytes.subarray(-TAIL_BYTES)]
  return places.some((place) => foreign.test(latin1.decode(place)))
}
