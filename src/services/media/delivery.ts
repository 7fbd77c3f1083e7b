import type { Ctx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure, notFound } from '../../platform/failures.ts'
import { matchesEtag } from '../../platform/http/conditional.ts'
import { authorizeMedia } from './authorize-media.ts'
import { objectKey, type Variant } from './objects.ts'
import { rangeOf } from './ranges.ts'
import { type SignedQuery, signedViewer } from './signatures.ts'

/** Short, because a copy in a cache stays readable after a deletion, a suspension or a block. */
const FRESH_S = 300
const servedTypes = ['image/webp', 'image/png', 'image/gif']

type Wanted = { mediaId: Id; variant: Variant } & SignedQuery

/** A signed URL only authenticates the reader: visibility is checked on every request. */
export async function serveMedia(
  ctx: Ctx,
  { mediaId, variant, ...query }: Wanted,
  request: Request,
): Promise<Response> {
  const isSigned = Object.keys(query).length > 0
  const readerId = isSigned ? await signedViewer(ctx, mediaId, query) : (ctx.viewer?.id ?? null)
  if (isSigned && readerId === null) throw notFound()
  const audience = await authorizeMedia(ctx, mediaId, { readerId, isSigned })
  const etag = `"${mediaId}-${variant}"`
  const headers = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': `${audience === 'public' ? 'public' : 'private'}, max-age=${FRESH_S}, must-revalidate`,
    'content-disposition': 'inline',
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
  }
  if (matchesEtag(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  const object = await read(ctx.env.MEDIA, request, objectKey(mediaId, variant), etag)
  return new Response(object.body, {
    status: object.status,
    headers: { ...headers, ...object.headers },
  })
}

type Part = { status: number; body: ReadableStream | null; headers: Record<string, string> }

async function read(bucket: R2Bucket, request: Request, key: string, etag: string): Promise<Part> {
  const condition = request.headers.get('if-range')
  const isPartial = request.method === 'GET' && (condition === null || condition === etag)
  const header = isPartial ? request.headers.get('range') : null
  if (request.method !== 'HEAD' && header === null) {
    const object = await bucket.get(key)
    if (!object) throw notFound()
    return { status: 200, body: object.body, headers: { ...typeOf(object), 'content-length': String(object.size) } }
  }
  const head = await bucket.head(key)
  if (!head) throw notFound()
  const range = rangeOf(header, head.size)
  if (range === 'unsatisfiable') {
    throw new Failure('range_not_satisfiable', undefined, { headers: { 'content-range': `bytes */${head.size}` } })
  }
  const { offset, length } = range ?? { offset: 0, length: head.size }
  const object = request.method === 'HEAD' ? null : await bucket.get(key, { range: { offset, length } })
  const part = range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${head.size}` }
  return {
    status: range ? 206 : 200,
    body: object?.body ?? null,
    headers: { ...typeOf(head), ...part, 'content-length': String(length) },
  }
}

/** Serves only types that cannot contain scripts, whatever the metadata of the object say. */
function typeOf({ httpMetadata }: R2Object): { 'content-type': string } {
  const type = httpMetadata?.contentType ?? ''
  return { 'content-type': servedTypes.includes(type) ? type : 'image/webp' }
}
