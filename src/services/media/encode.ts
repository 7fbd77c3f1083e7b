import { Failure, invalid, unavailable } from '../../platform/failures.ts'
import type { Variant } from './objects.ts'
import { imageTypeOf, isPolyglot } from './sniff.ts'

type Bytes = Uint8Array<ArrayBuffer>
type Encoded = { bytes: Record<Variant, Bytes>; width: number; height: number; placeholder: string }

const MAX_PIXELS = 40_000_000
/** The longest side that the Images service accepts. */
const MAX_SIDE = 12_000
const SIDES = { image: 2_048, thumbnail: 480, placeholder: 16 }
const GOOD_GIF = Uint8Array.fromBase64('R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=')

/** Re-encodes, which keeps only pixels. Checks the header first: a small file could decode into billions of pixels. */
export async function encodeImage(images: ImagesBinding, upload: Bytes): Promise<Encoded> {
  const type = imageTypeOf(upload)
  if (type === null || isPolyglot(upload)) throw unsupported()
  const info = await sizeOf(images, upload)
  if (info.format !== type) throw unsupported()
  if (info.width * info.height > MAX_PIXELS) throw invalid('file', 'has more than 40 megapixels')
  if (Math.max(info.width, info.height) > MAX_SIDE) throw invalid('file', `has a side of more than ${MAX_SIDE} pixels`)
  const image = await toWebp(images, upload, SIDES.image)
  const [{ width, height }, thumbnail] = await Promise.all([
    sizeOf(images, image),
    toWebp(images, image, SIDES.thumbnail),
  ])
  const tiny = await toWebp(images, thumbnail, SIDES.placeholder)
  return { bytes: { image, thumbnail }, width, height, placeholder: `data:image/webp;base64,${tiny.toBase64()}` }
}

async function sizeOf(images: ImagesBinding, bytes: Bytes) {
  const info = await images.info(streamOf(bytes)).catch(() => diagnose(images))
  if (!('width' in info)) throw unsupported()
  return info
}

function toWebp(images: ImagesBinding, bytes: Bytes, side: number): Promise<Bytes> {
  return shrink(images, bytes, side).catch(() => diagnose(images))
}

async function shrink(images: ImagesBinding, bytes: Bytes, side: number): Promise<Bytes> {
  const fitted = images.input(streamOf(bytes)).transform({ width: side, height: side, fit: 'scale-down' })
  const result = await fitted.output({ format: 'image/webp', anim: false })
  const webp = new Uint8Array(await result.response().arrayBuffer())
  if (imageTypeOf(webp) !== 'image/webp') throw unsupported() // the service may return its input unchanged
  return webp
}

/** Encodes a good image, to tell a bad image from a failing service: the service's error codes do not. */
async function diagnose(images: ImagesBinding): Promise<never> {
  const works = await shrink(images, GOOD_GIF, 1).then(
    () => true,
    () => false,
  )
  throw works ? unsupported() : unavailable(5)
}

function unsupported(): Failure {
  return new Failure('unsupported_media_type', 'The file must be a JPEG, PNG, GIF or WebP image')
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
