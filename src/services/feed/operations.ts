import { PageQuery } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { AccountPath } from '../accounts/views.ts'
import { readPosts } from '../posts/policy.ts'
import { PostPage } from '../posts/views.ts'
import { accountFeed, homeFeed, publicFeed } from './feeds.ts'

export const feedOperations: Operation[] = [
  operation({
    id: 'getHomeFeed',
    method: 'get',
    path: '/feeds/home',
    access: 'user',
    scope: readPosts,
    query: PageQuery,
    returns: PostPage,
    summary: 'List the newest posts of the accounts that you follow',
    run: homeFeed,
  }),
  operation({
    id: 'getPublicFeed',
    method: 'get',
    path: '/feeds/public',
    access: 'public',
    scope: readPosts,
    query: PageQuery,
    returns: PostPage,
    summary: 'List the newest public posts of everyone',
    run: publicFeed,
  }),
  operation({
    id: 'getAccountFeed',
    method: 'get',
    path: '/accounts/{accountId}/posts',
    access: 'public',
    scope: readPosts,
    params: AccountPath,
    query: PageQuery,
    returns: PostPage,
    summary: 'List the newest posts of one account',
    run: accountFeed,
  }),
]
