import { z } from '@hono/zod-openapi'
import { Failure } from '../../platform/failures.ts'

const MAX_BYTES = 10 * 1024 * 1024

export const ImageUpload = z.custom<File>((value) => value instanceof File, 'must be a file')

export async function bytesOf(file: File): Promise<Uint8Array<ArrayBuffer>> {
  if (file.size > MAX_BYTES) throw new Failure('too_large', 'An image may have at most 10 MiB')
  return new Uint8Array(await file.arrayBuffer())
}
