import { ByteReader, damaged } from './byte-reader.ts'
import type { Animation, Size, Structure } from './structure.ts'

type Chunk = { type: string; bytes: Uint8Array; data: ByteReader }

const ANIMATED = 0x02
const ALPHA = 0x10
const bitstreams = ['VP8 ', 'VP8L']

export function readWebp(file: ByteReader): Structure {
  file.take(4)
  const riff = new ByteReader(file.take(file.u32le()))
  riff.take(4)
  const chunks = readChunks(riff)
  const extended = chunks.find(({ type }) => type === 'VP8X')
  const flags = extended?.data.u8() ?? 0
  extended?.data.take(3)
  const canvas = extended && { width: extended.data.u24le() + 1, height: extended.data.u24le() + 1 }
  if (canvas && flags & ANIMATED) return readAnimation(chunks, canvas, flags & ALPHA)
  const bitstream = requireBitstream(chunks)
  const size = sizeOf(bitstream)
  return { ...size, isLossless: bitstream.type === 'VP8L', isComplete: true, animation: null }
}

function readChunks(list: ByteReader): Chunk[] {
  const chunks: Chunk[] = []
  while (list.left >= 8) {
    const type = list.text(4)
    const bytes = list.take(list.u32le())
    if (bytes.length % 2 === 1 && list.left > 0) list.take(1)
    chunks.push({ type, bytes, data: new ByteReader(bytes) })
  }
  return chunks
}

function requireBitstream(chunks: Chunk[]): Chunk {
  const bitstream = chunks.find(({ type }) => bitstreams.includes(type))
  if (!bitstream) throw damaged()
  return bitstream
}

function sizeOf({ type, data }: Chunk): Size {
  if (type === 'VP8L') {
    if (data.u8() !== 0x2f) throw damaged()
    const bits = data.u32le()
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  data.take(3)
  if (data.take(3).toHex() !== '9d012a') throw damaged()
  return { width: data.u16le() & 0x3fff, height: data.u16le() & 0x3fff }
}

function readAnimation(chunks: Chunk[], canvas: Size, alpha: number): Structure {
  const control = chunks.find(({ type, bytes }) => type === 'ANIM' && bytes.length === 6)
  const frames = chunks.filter(({ type }) => type === 'ANMF').map(({ data }) => readFrame(data, canvas))
  if (!control || frames.length === 0) throw damaged()
  const header = Uint8Array.of(ANIMATED | alpha, 0, 0, 0, ...le24(canvas.width - 1), ...le24(canvas.height - 1))
  const body = [...chunk('VP8X', [header]), ...chunk('ANIM', [control.bytes]), ...frames.flatMap(({ parts }) => parts)]
  const durationMs = frames.reduce((sum, frame) => sum + frame.durationMs, 0)
  const parts = chunk('RIFF', [ascii('WEBP'), ...body])
  const animation: Animation = { frames: frames.length, durationMs, parts }
  return { ...canvas, isLossless: frames.every((frame) => frame.isLossless), isComplete: true, animation }
}

/** A frame must lie on the canvas, and its stated size must be that of its bitstream: a viewer may use either size. */
function readFrame(data: ByteReader, canvas: Size) {
  const [x, y] = [data.u24le() * 2, data.u24le() * 2]
  const [width, height] = [data.u24le() + 1, data.u24le() + 1]
  const durationMs = data.u24le()
  data.take(1)
  const header = data.since(0)
  const inside = readChunks(data)
  const bitstream = requireBitstream(inside)
  const size = sizeOf(bitstream)
  if (size.width !== width || size.height !== height) throw damaged()
  if (x + width > canvas.width || y + height > canvas.height) throw damaged()
  const kept = inside.filter(({ type }) => type === 'ALPH' || bitstreams.includes(type))
  return {
    durationMs,
    isLossless: bitstream.type === 'VP8L',
    parts: chunk('ANMF', [header, ...kept.flatMap(({ type, bytes }) => chunk(type, [bytes]))]),
  }
}

function chunk(type: string, parts: Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const padding = new Uint8Array(length % 2)
  return [ascii(type), Uint8Array.of(...le24(length), length >>> 24), ...parts, padding]
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function le24(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255]
}
