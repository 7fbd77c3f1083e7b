import { PageQuery } from '../../platform/data/page.ts'
import { route, routes } from '../../platform/http/route.ts'
import { AccountPath } from '../accounts/views.ts'
import { PostPage } from '../posts/views.ts'
import { accountFeed, homeFeed, publicFeed } from './feeds.ts'

export const feedRoutes = routes()
  .openapi(
    route({
      id: 'getHomeFeed',
      method: 'get',
      path: '/feeds/home',
      access: 'user',
      scope: 'posts:read',
      query: PageQuery,
      returns: PostPage,
      summary: 'The newest posts of the people the viewer follows',
    }),
    async (c) => c.json(await homeFeed(c.var.ctx, c.req.valid('query')), 200),
  )
  .openapi(
    route({
      id: 'getPublicFeed',
      method: 'get',
      path: '/feeds/public',
      access: 'public',
      scope: 'posts:read',
      query: PageQuery,
      returns: PostPage,
      summary: 'The newest public posts of everyone',
    }),
    async (c) => c.json(await publicFeed(c.var.ctx, c.req.valid('query')), 200),
  )
  .openapi(
    route({
      id: 'getAccountFeed',
      method: 'get',
      path: '/accounts/{accountId}/posts',
      access: 'public',
      scope: 'posts:read',
      params: AccountPath,
      query: PageQuery,
      returns: PostPage,
      summary: 'The newest posts of one account',
    }),
    async (c) => c.json(await accountFeed(c.var.ctx, { ...c.req.valid('param'), ...c.req.valid('query') }), 200),
  )
