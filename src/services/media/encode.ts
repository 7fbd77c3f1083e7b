import { invalid, unavailable } from '../../platform/failures.ts'
import { damaged, truncated } from './byte-reader.ts'
import { inspect } from './inspect.ts'
import type { ImageFile, Variant } from './objects.ts'
import type { Animation, Size, Structure } from './structure.ts'

type Bytes = Uint8Array<ArrayBuffer>
export type Shape = Record<Variant, ImageTransform> & { mayBeAnimated: boolean }
type StillType = 'image/png' | 'image/webp'
type Encoded = Size & { files: Record<Variant, ImageFile>; placeholder: string; animated: boolean }

const MAX_PIXELS = 40_000_000
/** The longest side that the Images service accepts. */
const MAX_SIDE = 12_000
const MAX_ANIMATION = { side: 2_048, frames: 500, pixels: 50_000_000, seconds: 60 }
/** Up to this size, a PNG is kept. A larger one is usually a photo, and WebP replaces it if that is smaller. */
const MOST_LOSSLESS: Record<Variant, number> = { image: 1_048_576, thumbnail: 65_536 }
const GOOD_GIF = Uint8Array.fromBase64('R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=')

const within = (side: number): ImageTransform => ({ width: side, height: side, fit: 'scale-down' })
const filling = (width: number, height: number): ImageTransform => ({ width, height, fit: 'cover' })

export const shapes = {
  post: { image: within(2_048), thumbnail: within(480), mayBeAnimated: true },
  avatar: { image: filling(400, 400), thumbnail: filling(96, 96), mayBeAnimated: false },
  header: { image: filling(1_500, 500), thumbnail: filling(600, 200), mayBeAnimated: false },
} satisfies Record<string, Shape>

/** Removes all metadata: keeps only pixels, or the parts of an animation that draw. Checks sizes before decoding. */
export async function encodeImage(images: ImagesBinding, upload: Bytes, shape: Shape): Promise<Encoded> {
  const structure = inspect(upload)
  const { type, animation, isLossless } = structure
  requireSize(structure)
  if (animation) requireBrief(structure, animation, shape)
  const image = animation
    ? { bytes: joined(animation.parts), type }
    : await encode(images, { ...structure, bytes: upload }, shape, 'image')
  const keepsColors = animation ? isLossless : image.type === 'image/png'
  const still = { bytes: image.bytes, isLossless: keepsColors, isComplete: true }
  const thumbnail = await encode(images, still, shape, 'thumbnail')
  const tiny = await transform(images, thumbnail.bytes, within(16), 'image/webp').catch(() => diagnose(images))
  const { width, height } = inspect(image.bytes)
  const placeholder = `data:image/webp;base64,${tiny.toBase64()}`
  return { files: { image, thumbnail }, width, height, placeholder, animated: animation !== null }
}

function requireSize({ width, height }: Size): void {
  if (width * height > MAX_PIXELS) throw invalid('file', 'has more than 40 megapixels')
  if (Math.max(width, height) > MAX_SIDE) throw invalid('file', `has a side of more than ${MAX_SIDE} pixels`)
}

function requireBrief({ width, height }: Size, { frames, durationMs }: Animation, { mayBeAnimated }: Shape): void {
  const { side, pixels, seconds } = MAX_ANIMATION
  if (!mayBeAnimated) throw invalid('file', 'must not be animated')
  if (frames > MAX_ANIMATION.frames) throw invalid('file', `has more than ${MAX_ANIMATION.frames} frames`)
  if (durationMs > seconds * 1_000) throw invalid('file', `is an animation of more than ${seconds} seconds`)
  if (Math.max(width, height) > side) throw invalid('file', `is an animation with a side of more than ${side} pixels`)
  if (width * height * frames > pixels) throw invalid('file', 'has more than 50 megapixels in all frames together')
}

type Source = Pick<Structure, 'isLossless' | 'isComplete'> & { bytes: Bytes }

/** A lossless source becomes PNG, because the Images service has no lossless WebP. */
async function encode(images: ImagesBinding, source: Source, shape: Shape, variant: Variant): Promise<ImageFile> {
  const as = async (type: StillType): Promise<ImageFile> => {
    const encoded = transform(images, source.bytes, shape[variant], type)
    return { type, bytes: await encoded.catch(() => diagnose(images, source)) }
  }
  const png = source.isLossless ? await as('image/png') : null
  if (png && png.bytes.length <= MOST_LOSSLESS[variant]) return png
  const webp = await as('image/webp')
  return png && png.bytes.length <= webp.bytes.length ? png : webp
}

async function transform(images: ImagesBinding, bytes: Bytes, shape: ImageTransform, type: StillType) {
  const shaped = images.input(streamOf(bytes)).transform(shape)
  const result = await shaped.output({ format: type, anim: false })
  const encoded = new Uint8Array(await result.response().arrayBuffer())
  if (inspect(encoded).type !== type) throw damaged() // the service may return its input unchanged
  return encoded
}

/** Encodes a good image, to learn whether the service fails or the image is bad. Error codes do not tell it. */
async function diagnose(images: ImagesBinding, { isComplete } = { isComplete: true }): Promise<never> {
  const works = await transform(images, GOOD_GIF, within(1), 'image/webp').then(
    () => true,
    () => false,
  )
  if (!works) throw unavailable(5)
  throw isComplete ? damaged() : truncated()
}

function joined(parts: Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** A stream, because a Blob would hold a copy, and an isolate has 128 MB for all of its requests. */
function streamOf(bytes: Bytes): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes)
      controller.close()
    },
  })
}
