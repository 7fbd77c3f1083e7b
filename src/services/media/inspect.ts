import { Failure, invalid } from '../../platform/failures.ts'
import { ByteReader } from './byte-reader.ts'
import { readGif } from './gif.ts'
import { readJpeg } from './jpeg.ts'
import { readPng } from './png.ts'
import type { Structure } from './structure.ts'
import { readWebp } from './webp.ts'

const readers = {
  'image/jpeg': readJpeg,
  'image/png': readPng,
  'image/gif': readGif,
  'image/webp': readWebp,
}
export type ImageType = keyof typeof readers

const signatures: [ImageType, RegExp][] = [
  ['image/jpeg', /^ffd8ff/],
  ['image/png', /^89504e470d0a1a0a/],
  ['image/gif', /^47494638(37|39)61/],
  ['image/webp', /^52494646.{8}57454250/],
]

/** The magic bytes decide the type. What metadata contain does not matter, because they are not kept. */
export function inspect(bytes: Uint8Array): Structure & { type: ImageType } {
  if (bytes.length === 0) throw invalid('file', 'is empty')
  const start = bytes.subarray(0, 12).toHex()
  const [type] = signatures.find(([, signature]) => signature.test(start)) ?? []
  if (!type) throw new Failure('unsupported_media_type', 'The file must be a JPEG, PNG, GIF or WebP image')
  return { type, ...readers[type](new ByteReader(bytes)) }
}
