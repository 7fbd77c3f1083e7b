import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { route, routes } from '../../platform/http/route.ts'
import { serveMedia } from './delivery.ts'
import { deleteMedia, describeMedia, MediaChange, NewMedia, uploadMedia } from './media.ts'
import { Variant } from './objects.ts'
import { SignedQuery } from './signatures.ts'
import { MediaView } from './views.ts'

const MediaRef = z.object({ mediaId: Id })

export const mediaRoutes = routes()
  .openapi(
    route({
      id: 'uploadMedia',
      method: 'post',
      path: '/media',
      access: 'user',
      scope: 'media:write',
      body: NewMedia,
      bodyType: 'multipart/form-data',
      returns: MediaView,
      status: 201,
      idempotent: true,
      fails: ['not_found', 'idempotency_mismatch'],
      summary: 'Upload an image for a post; its metadata are not kept',
    }),
    async (c) => {
      const { value, replayed } = await uploadMedia(c.var.ctx, c.req.valid('form'))
      if (replayed) c.header('idempotency-replayed', 'true')
      return c.json(value, 201)
    },
  )
  .openapi(
    route({
      id: 'describeMedia',
      method: 'patch',
      path: '/media/{mediaId}',
      access: 'user',
      scope: 'media:write',
      params: MediaRef,
      body: MediaChange,
      example: { alt: 'A lighthouse at dusk, its lamp just lit' },
      returns: MediaView,
      summary: 'Say what an image shows, before a post takes it',
    }),
    async (c) => c.json(await describeMedia(c.var.ctx, { ...c.req.valid('param'), ...c.req.valid('json') }), 200),
  )
  .openapi(
    route({
      id: 'deleteMedia',
      method: 'delete',
      path: '/media/{mediaId}',
      access: 'user',
      scope: 'media:write',
      params: MediaRef,
      returns: null,
      status: 204,
      summary: 'Delete an image that no post has taken',
    }),
    async (c) => {
      await deleteMedia(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'getMedia',
      method: 'get',
      path: '/media/{mediaId}/{variant}',
      access: 'public',
      scope: 'posts:read',
      params: MediaRef.extend({ variant: Variant }),
      query: SignedQuery,
      returns: null,
      binary: 'image/webp',
      also: { 206: 'The part that Range asks for', 304: 'The client has it already' },
      fails: ['range_not_satisfiable'],
      summary: 'An image or its thumbnail, as WebP, for those who may see its post',
    }),
    (c) => serveMedia(c.var.ctx, c.req.raw, { ...c.req.valid('param'), query: c.req.valid('query') }),
  )
