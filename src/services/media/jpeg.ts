import { type ByteReader, damaged } from './byte-reader.ts'
import type { Structure } from './structure.ts'

const START_OF_SCAN = 0xda
/** C0 to CF mark frame headers, except for C4, C8 and CC. */
const isFrameHeader = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

export function readJpeg(file: ByteReader): Structure {
  file.take(2)
  let size = null
  for (;;) {
    const marker = readMarker(file)
    const segment = file.u16() - 2
    if (segment < 0) throw damaged()
    if (marker === START_OF_SCAN) break
    if (isFrameHeader(marker) && segment >= 5) {
      file.take(1)
      const height = file.u16()
      size = { height, width: file.u16() }
      file.take(segment - 5)
    } else file.take(segment)
  }
  if (!size?.width || !size.height) throw damaged()
  return { ...size, isLossless: false, isComplete: hasEnd(file.take(file.left)), animation: null }
}

function readMarker(file: ByteReader): number {
  if (file.u8() !== 0xff) throw damaged()
  let marker = file.u8()
  while (marker === 0xff) marker = file.u8()
  return marker
}

/** Whether the end marker FFD9 is there. It cannot be pixel data, because in a scan, a zero follows each FF of data. */
function hasEnd(scans: Uint8Array): boolean {
  for (let at = scans.indexOf(0xff); at >= 0; at = scans.indexOf(0xff, at + 1)) if (scans[at + 1] === 0xd9) return true
  return false
}
