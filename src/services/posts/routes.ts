import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { PageQuery } from '../../platform/data/page.ts'
import { route, routes } from '../../platform/http/route.ts'
import { listComments } from './comments.ts'
import { likePost, unlikePost } from './likes.ts'
import { getLimits, Limits } from './limits.ts'
import { createPost, deletePost, getPost, NewPost } from './posts.ts'
import { Post, PostPage } from './views.ts'

const PostRef = z.object({ postId: Id })

export const postRoutes = routes()
  .openapi(
    route({
      id: 'createPost',
      method: 'post',
      path: '/posts',
      access: 'user',
      scope: 'posts:write',
      body: NewPost,
      example: { text: 'Good morning, @grace! #engines', visibility: 'followers' },
      returns: Post,
      status: 201,
      idempotent: true,
      fails: ['not_found', 'idempotency_mismatch'],
      summary: 'Publish a post, or a comment on one',
    }),
    async (c) => {
      const { value, replayed } = await createPost(c.var.ctx, c.req.valid('json'))
      if (replayed) c.header('idempotency-replayed', 'true')
      return c.json(value, 201)
    },
  )
  .openapi(
    route({
      id: 'getPost',
      method: 'get',
      path: '/posts/{postId}',
      access: 'public',
      scope: 'posts:read',
      params: PostRef,
      returns: Post,
      summary: 'Read a post',
    }),
    async (c) => c.json(await getPost(c.var.ctx, c.req.valid('param')), 200),
  )
  .openapi(
    route({
      id: 'deletePost',
      method: 'delete',
      path: '/posts/{postId}',
      access: 'user',
      scope: 'posts:write',
      params: PostRef,
      returns: null,
      status: 204,
      fails: ['forbidden'],
      summary: 'Delete a post of one’s own',
    }),
    async (c) => {
      await deletePost(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'likePost',
      method: 'put',
      path: '/posts/{postId}/like',
      access: 'user',
      scope: 'posts:write',
      params: PostRef,
      returns: Post,
      summary: 'Like a post; liking it again changes nothing',
    }),
    async (c) => c.json(await likePost(c.var.ctx, c.req.valid('param')), 200),
  )
  .openapi(
    route({
      id: 'unlikePost',
      method: 'delete',
      path: '/posts/{postId}/like',
      access: 'user',
      scope: 'posts:write',
      params: PostRef,
      returns: Post,
      summary: 'Take a like back',
    }),
    async (c) => c.json(await unlikePost(c.var.ctx, c.req.valid('param')), 200),
  )
  .openapi(
    route({
      id: 'listComments',
      method: 'get',
      path: '/posts/{postId}/comments',
      access: 'public',
      scope: 'posts:read',
      params: PostRef,
      query: PageQuery,
      returns: PostPage,
      summary: 'Read the comments under a post, oldest first',
    }),
    async (c) => c.json(await listComments(c.var.ctx, { ...c.req.valid('param'), ...c.req.valid('query') }), 200),
  )
  .openapi(
    route({
      id: 'getLimits',
      method: 'get',
      path: '/limits',
      access: 'public',
      returns: Limits,
      summary: 'Read how much a post may hold',
    }),
    (c) => c.json(getLimits(c.var.ctx), 200),
  )
