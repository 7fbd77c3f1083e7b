import { crc32, deflateSync } from 'node:zlib'

type Size = { width: number; height: number }
type Options = Partial<Size> & {
  /** Text put into the metadata, to check that the stored file no longer has it. Some formats also get a GPS position. */
  canary?: string
  /** EXIF orientation of a JPEG: 6 means that it must be rotated by 90 degrees clockwise. */
  orientation?: number
}
type Color = [number, number, number]

const SIZE: Size = { width: 64, height: 48 }
export const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))
export const be16 = (n: number) => [(n >> 8) & 255, n & 255]
export const be32 = (n: number) => [...be16(n >>> 16), ...be16(n & 65_535)]
export const le16 = (n: number) => be16(n).reverse()
export const le32 = (n: number) => be32(n).reverse()
export const bytesOf = (...parts: (Iterable<number> | ArrayLike<number>)[]) =>
  new Uint8Array(parts.flatMap((p) => Array.from(p)))

/** A sky at dusk: dark blue at the top, orange at the bottom, lighter to the right. */
function colorAt(x: number, y: number, { width, height }: Size): Color {
  const [across, down] = [x / width, y / height]
  return [
    Math.round(30 + 200 * down),
    Math.round(30 + 90 * down + 50 * across),
    Math.round(110 - 60 * down + 60 * across),
  ]
}

/** A baseline JPEG whose 8 x 8 blocks have one colour each, so that it needs no cosine transform. */
export function jpeg(options: Options = {}): Uint8Array<ArrayBuffer> {
  const size = { ...SIZE, ...options }
  const hasExif = options.canary !== undefined || options.orientation !== undefined
  const components = [1, 2, 3].flatMap((id) => [id, 0x11, 0])
  return bytesOf(
    [0xff, 0xd8],
    hasExif ? segment(0xe1, bytesOf(latin1('Exif\0\0'), exif(options))) : [],
    options.canary === undefined ? [] : segment(0xfe, latin1(options.canary)),
    segment(0xdb, [0, ...Array(64).fill(8)]),
    segment(0xc0, [8, ...be16(size.height), ...be16(size.width), 3, ...components]),
    // In the DC table, the code of a length is the length in four bits. The only code of the AC table ends the block.
    segment(0xc4, [0x00, 0, 0, 0, 12, ...Array(12).fill(0), ...Array(12).keys()]),
    segment(0xc4, [0x10, 1, ...Array(15).fill(0), 0]),
    segment(0xda, [3, 1, 0x00, 2, 0x00, 3, 0x00, 0, 63, 0]),
    scan(size),
    [0xff, 0xd9],
  )
}

function segment(marker: number, data: ArrayLike<number>): Uint8Array {
  return bytesOf([0xff, marker], be16(data.length + 2), data)
}

/** Encodes each block: per component, the difference to the mean of the previous block, in as few bits as possible. */
function scan(size: Size): number[] {
  const bits: number[] = []
  const push = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1)
  }
  const last = [0, 0, 0]
  for (let y = 0; y < size.height; y += 8) {
    for (let x = 0; x < size.width; x += 8) {
      for (const [i, mean] of yCbCr(colorAt(x + 4, y + 4, size)).entries()) {
        // The coefficient of a block is 8 times its mean. Quantization divides it by 8, so the mean is what is stored.
        const difference = mean - last[i]!
        const length = Math.abs(difference).toString(2).length * Number(difference !== 0)
        push(length, 4)
        push(difference < 0 ? difference + 2 ** length - 1 : difference, length)
        push(0, 1)
        last[i] = mean
      }
    }
  }
  while (bits.length % 8 > 0) bits.push(1)
  return toBytes(bits).flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte]))
}

function toBytes(bits: number[]): number[] {
  return Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2))
}

function yCbCr([r, g, b]: Color): number[] {
  const y = 0.299 * r + 0.587 * g + 0.114 * b
  return [y - 128, (b - y) / 1.772, (r - y) / 1.402].map(Math.round)
}

/** A TIFF block with a description, an orientation and a GPS position in Paris. */
function exif({ canary = '', orientation = 1 }: Options): Uint8Array {
  const text = latin1(`${canary || 'a dusk'}\0`)
  const entry = (tag: number, type: number, count: number, value: number[]) => [
    ...be16(tag),
    ...be16(type),
    ...be32(count),
    ...value,
  ]
  const [textAt, latitudeAt, gpsAt] = [50, 50 + text.length, 98 + text.length]
  const degrees = (...parts: number[]) => parts.flatMap((part) => [...be32(part), ...be32(1)])
  return bytesOf(
    latin1('MM'),
    be16(42),
    be32(8),
    be16(3),
    entry(0x010e, 2, text.length, be32(textAt)),
    entry(0x0112, 3, 1, [...be16(orientation), 0, 0]),
    entry(0x8825, 4, 1, be32(gpsAt)),
    be32(0),
    text,
    degrees(48, 51, 24),
    degrees(2, 21, 3),
    be16(4),
    entry(1, 2, 2, [0x4e, 0, 0, 0]),
    entry(2, 5, 3, be32(latitudeAt)),
    entry(3, 2, 2, [0x45, 0, 0, 0]),
    entry(4, 5, 3, be32(latitudeAt + 24)),
    be32(0),
  )
}

export function png(options: Options = {}): Uint8Array<ArrayBuffer> {
  const size = { ...SIZE, ...options }
  const rows = Array.from({ length: size.height }, (_, y) => [
    0,
    ...Array.from({ length: size.width }, (_, x) => colorAt(x, y, size)).flat(),
  ])
  return pngOf(size, new Uint8Array(rows.flat()), options.canary)
}

/** A PNG whose header may state a size that does not match its pixels. */
export function pngOf(size: Size, pixels: Uint8Array, canary?: string): Uint8Array<ArrayBuffer> {
  return bytesOf(
    [0x89],
    latin1('PNG\r\n\x1a\n'),
    pngChunk('IHDR', bytesOf(be32(size.width), be32(size.height), [8, 2, 0, 0, 0])),
    canary === undefined ? [] : pngChunk('eXIf', exif({ canary })),
    canary === undefined ? [] : pngChunk('tEXt', latin1(`Comment\0${canary}`)),
    pngChunk('IDAT', deflateSync(pixels)),
    pngChunk('IEND', new Uint8Array()),
  )
}

export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = bytesOf(latin1(type), data)
  return bytesOf(be32(data.length), body, be32(crc32(body)))
}

/** An uncompressed GIF of two colours. A clear code before every second pixel keeps the code size at three bits. */
export function gif(options: Options = {}): Uint8Array<ArrayBuffer> {
  const { width, height } = { ...SIZE, ...options }
  const codes = Array.from({ length: width * height }, (_, i) => (i % 2 === 0 ? [4, 0] : [i % 3 === 0 ? 0 : 1])).flat()
  const bits = [...codes, 5].flatMap((code) => [code & 1, (code >> 1) & 1, (code >> 2) & 1])
  while (bits.length % 8 > 0) bits.push(0)
  const data = Array.from({ length: bits.length / 8 }, (_, i) => toBytes(bits.slice(i * 8, i * 8 + 8).reverse())[0]!)
  const blocks = Array.from({ length: Math.ceil(data.length / 255) }, (_, i) => data.slice(i * 255, i * 255 + 255))
  const comment = latin1(options.canary ?? '')
  return bytesOf(
    latin1('GIF89a'),
    le16(width),
    le16(height),
    [0x80, 0, 0, 30, 30, 110, 230, 120, 50],
    comment.length > 0 ? bytesOf([0x21, 0xfe, comment.length], comment, [0]) : [],
    [0x2c, 0, 0, 0, 0],
    le16(width),
    le16(height),
    [0, 2],
    blocks.flatMap((block) => [block.length, ...block]),
    [0, 0x3b],
  )
}

/**
 * A lossless WebP of one colour, (230, 120, 50). A prefix code with one symbol needs no bits per pixel, so
 * the file is small at any size.
 */
export function webp(options: Options = {}): Uint8Array<ArrayBuffer> {
  const { width, height } = { ...SIZE, ...options }
  const bits: number[] = []
  const push = (value: number, count: number) => {
    for (let i = 0; i < count; i++) bits.push((value >> i) & 1)
  }
  push(width - 1, 14)
  push(height - 1, 14)
  // The first four bits: no alpha, version 0. The next three: no transform, no colour cache, no meta codes.
  push(0, 4)
  push(0, 3)
  // The codes of green, red, blue and alpha have one symbol each, of eight bits. The distance code has one of one bit.
  for (const level of [120, 230, 50, 255]) {
    push(0b101, 3)
    push(level, 8)
  }
  push(0b001, 3)
  push(0, 1)
  while (bits.length % 8 > 0) bits.push(0)
  const data = Array.from({ length: bits.length / 8 }, (_, i) => toBytes(bits.slice(i * 8, i * 8 + 8).reverse())[0]!)
  const { canary } = options
  const size24 = (n: number) => le32(n - 1).slice(0, 3)
  return riff(
    canary === undefined ? [] : riffChunk('VP8X', bytesOf([8, 0, 0, 0], size24(width), size24(height))),
    riffChunk('VP8L', bytesOf([0x2f], data)),
    canary === undefined ? [] : riffChunk('EXIF', exif({ canary })),
  )
}

export function riffChunk(type: string, data: Uint8Array): Uint8Array {
  return bytesOf(latin1(type), le32(data.length), data, data.length % 2 === 0 ? [] : [0])
}

export function riff(...chunks: (Uint8Array | number[])[]): Uint8Array<ArrayBuffer> {
  const body = bytesOf(latin1('WEBP'), ...chunks)
  return bytesOf(latin1('RIFF'), le32(body.length), body)
}

/** The form of an image upload. The server must ignore `type`, because the client chooses it. */
export function uploadForm(image: Uint8Array<ArrayBuffer>, alt?: string, type = 'image/jpeg'): FormData {
  const form = new FormData()
  form.set('file', new File([image], 'dusk.jpg', { type }))
  if (alt !== undefined) form.set('alt', alt)
  return form
}
