import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { type Operation, operation, responder } from '../../platform/http/operation.ts'
import { readPosts } from '../posts/policy.ts'
import { serveMedia } from './delivery.ts'
import { deleteMedia, describeMedia, MediaChange, NewMedia, uploadMedia } from './media.ts'
import { Variant } from './objects.ts'
import { writeMedia } from './policy.ts'
import { SignedQuery } from './signatures.ts'
import { MediaView } from './views.ts'

const MediaPath = z.object({ mediaId: Id })

export const mediaOperations: Operation[] = [
  operation({
    id: 'uploadMedia',
    method: 'post',
    path: '/media',
    access: 'user',
    scope: writeMedia,
    body: NewMedia,
    bodyType: 'multipart/form-data',
    returns: MediaView,
    status: 201,
    idempotent: true,
    fails: ['not_found', 'idempotency_mismatch', 'quota_exceeded'],
    location: ({ id }) => `/media/${id}/image`,
    summary: 'Upload an image for a post; the metadata in the file is removed',
    run: uploadMedia,
  }),
  operation({
    id: 'describeMedia',
    method: 'patch',
    path: '/media/{mediaId}',
    access: 'user',
    scope: writeMedia,
    params: MediaPath,
    body: MediaChange,
    example: { alt: 'A lighthouse at dusk, its lamp just lit' },
    returns: MediaView,
    summary: 'Change the description of your image, also in the post that has it',
    run: describeMedia,
  }),
  operation({
    id: 'deleteMedia',
    method: 'delete',
    path: '/media/{mediaId}',
    access: 'user',
    scope: writeMedia,
    params: MediaPath,
    returns: null,
    summary: 'Delete an image that is not attached to a post',
    run: deleteMedia,
  }),
  responder({
    id: 'getMedia',
    method: 'get',
    path: '/media/{mediaId}/{variant}',
    access: 'public',
    scope: readPosts,
    params: MediaPath.extend({ variant: Variant }),
    query: SignedQuery,
    mediaTypes: ['image/webp', 'image/png', 'image/gif'],
    also: { 206: 'The requested range', 304: 'The client’s copy is current' },
    headers: {
      ETag: 'Names the bytes of the image; send it as `If-None-Match` or `If-Range`',
      'Accept-Ranges': '`bytes`',
      'Content-Disposition': '`inline`',
    },
    fails: ['range_not_satisfiable'],
    summary: 'Read an image or its thumbnail',
    respond: serveMedia,
  }),
]
