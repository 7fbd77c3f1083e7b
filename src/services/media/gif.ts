import { ByteReader, damaged } from './byte-reader.ts'
import type { Size, Structure } from './structure.ts'

const EXTENSION = 0x21
const IMAGE = 0x2c
const TRAILER = 0x3b
/** The empty sub-block that ends an extension. */
const END = Uint8Array.of(0)
const GRAPHIC_CONTROL = 0xf9
const APPLICATION = 0xff
/** The application extensions that say how often the animation repeats. */
const looping = ['NETSCAPE2.0', 'ANIMEXTS1.0']

type Reading = { size: Size; frames: number; durationMs: number; parts: Uint8Array[] }

/** Accepts a file without a trailer or with bytes after it, because browsers show its images too. */
export function readGif(file: ByteReader): Structure {
  file.take(6)
  const gif: Reading = { size: { width: file.u16le(), height: file.u16le() }, frames: 0, durationMs: 0, parts: [] }
  const flags = file.u8()
  file.take(2)
  file.take(colorTable(flags))
  gif.parts.push(file.since(0))
  for (;;) {
    const block = file.left > 0 || gif.frames === 0 ? file.u8() : TRAILER
    if (block === EXTENSION) readExtension(file, gif)
    else if (block === IMAGE) readImage(file, gif)
    else break
  }
  const { size, frames, durationMs, parts } = gif
  if (frames === 0 || size.width === 0 || size.height === 0) throw damaged()
  parts.push(Uint8Array.of(TRAILER))
  return { ...size, isLossless: true, isComplete: true, animation: frames > 1 ? { frames, durationMs, parts } : null }
}

function colorTable(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

function skipBlocks(file: ByteReader): void {
  for (let length = file.u8(); length > 0; length = file.u8()) file.take(length)
}

function readExtension(file: ByteReader, gif: Reading): void {
  const start = file.at - 1
  const label = file.u8()
  const length = file.u8()
  const data = new ByteReader(file.take(length))
  if (label === GRAPHIC_CONTROL && length === 4) {
    data.take(1)
    gif.durationMs += data.u16le() * 10
    gif.parts.push(file.since(start), END)
  } else if (label === APPLICATION && looping.includes(data.text(length))) {
    const loops = file.u8()
    file.take(loops)
    if (loops === 3) gif.parts.push(file.since(start), END)
    if (loops === 0) return
  }
  if (length > 0) skipBlocks(file)
}

/** As in browsers, an image that exceeds the canvas enlarges it. */
function readImage(file: ByteReader, gif: Reading): void {
  const start = file.at - 1
  const [left, top, width, height] = [file.u16le(), file.u16le(), file.u16le(), file.u16le()]
  file.take(colorTable(file.u8()) + 1)
  skipBlocks(file)
  gif.parts.push(file.since(start))
  gif.frames++
  gif.size = { width: Math.max(gif.size.width, left + width), height: Math.max(gif.size.height, top + height) }
}
