import { be16, be32, bytesOf, gif, latin1, le16, le32, png, pngChunk, riff, riffChunk, webp } from './images.ts'

type Options = {
  width?: number
  height?: number
  frames?: number
  /** How long each frame is shown, in ms. */
  delay?: number
  /** Text for the metadata. A stored file must not contain it. */
  canary?: string
}
type Bytes = Uint8Array<ArrayBuffer>

const defaults = { width: 16, height: 12, frames: 3, delay: 100 }

/** A GIF that repeats forever. Without a canary, it has no comment and no XMP block. */
export function animatedGif(options: Options = {}): Bytes {
  const { frames, delay, canary, ...size } = { ...defaults, ...options }
  const still = gif(size)
  const comment = canary === undefined ? [] : extension(0xfe, latin1(canary))
  const xmp = canary === undefined ? [] : extension(0xff, latin1('XMP DataXMP'), latin1(canary))
  return bytesOf(
    still.slice(0, 19),
    extension(0xff, latin1('NETSCAPE2.0'), bytesOf([1, 0, 0])),
    comment,
    ...Array.from({ length: frames }, () =>
      bytesOf([0x21, 0xf9, 4, 0], le16(delay / 10), [0, 0], still.slice(19, -1), xmp),
    ),
    [0x3b],
  )
}

function extension(label: number, ...blocks: Uint8Array[]): Uint8Array {
  return bytesOf([0x21, label], ...blocks.map((block) => bytesOf([block.length], block)), [0])
}

export function animatedPng(options: Options = {}): Bytes {
  const { frames, delay, canary, ...size } = { ...defaults, ...options }
  const still = png(size)
  const imageData = still.slice(33, -12)
  const pixels = imageData.slice(8, -4)
  const control = (sequence: number) =>
    pngChunk(
      'fcTL',
      bytesOf(be32(sequence), be32(size.width), be32(size.height), be32(0), be32(0), be16(delay), be16(1_000), [0, 0]),
    )
  const later = Array.from({ length: frames - 1 }, (_, i) =>
    bytesOf(control(2 * i + 1), pngChunk('fdAT', bytesOf(be32(2 * i + 2), pixels))),
  )
  return bytesOf(
    still.slice(0, 33),
    pngChunk('acTL', bytesOf(be32(frames), be32(0))),
    canary === undefined ? [] : pngChunk('tEXt', latin1(`Comment\0${canary}`)),
    canary === undefined ? [] : pngChunk('eXIf', latin1(canary)),
    control(0),
    imageData,
    ...later,
    still.slice(-12),
  )
}

export function animatedWebp(options: Options = {}): Bytes {
  const { frames, delay, canary, ...size } = { ...defaults, ...options }
  const le24 = (n: number) => le32(n).slice(0, 3)
  const sides = bytesOf(le24(size.width - 1), le24(size.height - 1))
  const metadata = canary === undefined ? [] : [riffChunk('EXIF', latin1(canary)), riffChunk('XMP ', latin1(canary))]
  const flags = canary === undefined ? 0x02 : 0x02 | 0x08 | 0x04
  const frame = riffChunk('ANMF', bytesOf([0, 0, 0, 0, 0, 0], sides, le24(delay), [0], webp(size).slice(12)))
  return riff(
    riffChunk('VP8X', bytesOf([flags, 0, 0, 0], sides)),
    riffChunk('ANIM', bytesOf([0, 0, 0, 0, 0, 0])),
    ...Array.from({ length: frames }, () => frame),
    ...metadata,
  )
}
