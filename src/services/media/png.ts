import { type ByteReader, damaged } from './byte-reader.ts'
import type { Size, Structure } from './structure.ts'

const drawing = new Set(['IHDR', 'PLTE', 'tRNS', 'acTL', 'fcTL', 'fdAT', 'IDAT', 'IEND'])

export function readPng(file: ByteReader): Structure {
  const parts = [file.take(8)]
  const size = readHeader(file, parts)
  let [frames, durationMs, stated] = [0, 0, 0]
  for (;;) {
    const start = file.at
    const length = file.u32()
    const type = file.text(4)
    if (type === 'fcTL' && length === 26) {
      durationMs += readFrame(file, size)
      frames++
    } else if (type === 'acTL' && length === 8) {
      stated = file.u32()
      file.take(4)
    } else file.take(length)
    file.take(4)
    if (drawing.has(type)) parts.push(file.since(start))
    if (type === 'IEND') break
  }
  const isAnimated = stated > 1
  if (isAnimated && stated !== frames) throw damaged()
  const animation = isAnimated ? { frames, durationMs, parts } : null
  return { ...size, isLossless: true, isComplete: true, animation }
}

function readHeader(file: ByteReader, parts: Uint8Array[]): Size {
  const start = file.at
  if (file.u32() !== 13 || file.text(4) !== 'IHDR') throw damaged()
  const size = { width: file.u32(), height: file.u32() }
  file.take(9)
  parts.push(file.since(start))
  if (size.width === 0 || size.height === 0) throw damaged()
  return size
}

/** Returns how long the frame is shown, in ms. */
function readFrame(file: ByteReader, canvas: Size): number {
  file.take(4)
  const [width, height, x, y] = [file.u32(), file.u32(), file.u32(), file.u32()]
  if (x + width > canvas.width || y + height > canvas.height) throw damaged()
  const [numerator, denominator] = [file.u16(), file.u16()]
  file.take(2)
  return (numerator * 1_000) / (denominator || 100)
}
