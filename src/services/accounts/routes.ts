import { z } from '@hono/zod-openapi'
import { PageQuery } from '../../platform/data/page.ts'
import { route, routes } from '../../platform/http/route.ts'
import { Handle } from '../identity/views.ts'
import { editProfile, getAccount, getAccountByHandle, ProfileChange } from './accounts.ts'
import { blockAccount, listBlocks, unblockAccount } from './blocks.ts'
import { followAccount, listFollowers, listFollowing, unfollowAccount } from './follows.ts'
import { liftSuspension, suspendAccount } from './suspensions.ts'
import { Account, AccountPage, AccountPath, BlockPage } from './views.ts'

const HandleRef = z.object({ handle: Handle })

const revealsNothing =
  '204: the viewer’s own list now reads so. It tells nothing of the account, which may be hidden or may never have been.'

export const accountRoutes = routes()
  .openapi(
    route({
      id: 'getMe',
      method: 'get',
      path: '/accounts/me',
      access: 'user',
      scope: 'accounts:read',
      returns: Account,
      summary: 'The viewer’s own account',
    }),
    async (c) => c.json(await getAccount(c.var.ctx, { accountId: c.var.ctx.viewer.id }), 200),
  )
  .openapi(
    route({
      id: 'editProfile',
      method: 'patch',
      path: '/accounts/me',
      access: 'user',
      scope: 'accounts:write',
      body: ProfileChange,
      example: { displayName: 'Ada Lovelace', bio: 'Mathematician, fond of engines' },
      returns: Account,
      summary: 'Edit one’s own profile',
    }),
    async (c) => c.json(await editProfile(c.var.ctx, c.req.valid('json')), 200),
  )
  .openapi(
    route({
      id: 'getAccountByHandle',
      method: 'get',
      path: '/accounts/by-handle/{handle}',
      access: 'public',
      scope: 'accounts:read',
      params: HandleRef,
      returns: Account,
      summary: 'Look an account up by its handle',
    }),
    async (c) => c.json(await getAccountByHandle(c.var.ctx, c.req.valid('param')), 200),
  )
  .openapi(
    route({
      id: 'getAccount',
      method: 'get',
      path: '/accounts/{accountId}',
      access: 'public',
      scope: 'accounts:read',
      params: AccountPath,
      returns: Account,
      summary: 'Read an account',
    }),
    async (c) => c.json(await getAccount(c.var.ctx, c.req.valid('param')), 200),
  )
  .openapi(
    route({
      id: 'followAccount',
      method: 'put',
      path: '/accounts/{accountId}/follow',
      access: 'user',
      scope: 'accounts:write',
      params: AccountPath,
      returns: Account,
      fails: ['conflict'],
      summary: 'Follow an account; following it again changes nothing',
    }),
    async (c) => c.json(await followAccount(c.var.ctx, c.req.valid('param')), 200),
  )
  .openapi(
    route({
      id: 'unfollowAccount',
      method: 'delete',
      path: '/accounts/{accountId}/follow',
      access: 'user',
      scope: 'accounts:write',
      params: AccountPath,
      returns: null,
      status: 204,
      summary: 'Stop following an account; where it was not followed, nothing changes',
      description: revealsNothing,
    }),
    async (c) => {
      await unfollowAccount(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'blockAccount',
      method: 'put',
      path: '/accounts/{accountId}/block',
      access: 'user',
      scope: 'accounts:write',
      params: AccountPath,
      returns: null,
      status: 204,
      summary: 'Block an account: it no longer sees the viewer, and follows end both ways',
      description: revealsNothing,
    }),
    async (c) => {
      await blockAccount(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'unblockAccount',
      method: 'delete',
      path: '/accounts/{accountId}/block',
      access: 'user',
      scope: 'accounts:write',
      params: AccountPath,
      returns: null,
      status: 204,
      summary: 'Take a block back; where there is none, nothing changes',
      description: revealsNothing,
    }),
    async (c) => {
      await unblockAccount(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'listBlocks',
      method: 'get',
      path: '/accounts/me/blocks',
      access: 'user',
      scope: 'accounts:read',
      query: PageQuery,
      returns: BlockPage,
      summary: 'Whom the viewer blocks',
    }),
    async (c) => c.json(await listBlocks(c.var.ctx, c.req.valid('query')), 200),
  )
  .openapi(
    route({
      id: 'listFollowers',
      method: 'get',
      path: '/accounts/{accountId}/followers',
      access: 'public',
      scope: 'accounts:read',
      params: AccountPath,
      query: PageQuery,
      returns: AccountPage,
      summary: 'Who follows an account',
    }),
    async (c) => c.json(await listFollowers(c.var.ctx, { ...c.req.valid('param'), ...c.req.valid('query') }), 200),
  )
  .openapi(
    route({
      id: 'listFollowing',
      method: 'get',
      path: '/accounts/{accountId}/following',
      access: 'public',
      scope: 'accounts:read',
      params: AccountPath,
      query: PageQuery,
      returns: AccountPage,
      summary: 'Whom an account follows',
    }),
    async (c) => c.json(await listFollowing(c.var.ctx, { ...c.req.valid('param'), ...c.req.valid('query') }), 200),
  )
  .openapi(
    route({
      id: 'suspendAccount',
      method: 'put',
      path: '/accounts/{accountId}/suspension',
      access: 'moderator',
      scope: 'moderation',
      params: AccountPath,
      returns: null,
      status: 204,
      summary: 'Suspend an account',
    }),
    async (c) => {
      await suspendAccount(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'liftSuspension',
      method: 'delete',
      path: '/accounts/{accountId}/suspension',
      access: 'moderator',
      scope: 'moderation',
      params: AccountPath,
      returns: null,
      status: 204,
      summary: 'Lift a suspension',
    }),
    async (c) => {
      await liftSuspension(c.var.ctx, c.req.valid('param'))
      return c.body(null, 204)
    },
  )
