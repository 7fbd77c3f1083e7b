import { PageQuery } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { SHARED_SECONDS } from '../../platform/http/shared-answers.ts'
import { AccountPath } from '../accounts/views.ts'
import { readPosts } from '../posts/policy.ts'
import { PostPage } from '../posts/views.ts'
import { accountFeed, homeFeed, listPosts, publicFeed, WantedPosts } from './feeds.ts'

export const feedOperations = [
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
    shared: SHARED_SECONDS,
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
    shared: SHARED_SECONDS,
    scope: readPosts,
    params: AccountPath,
    query: PageQuery,
    returns: PostPage,
    summary: 'List the newest posts of one account',
    run: accountFeed,
  }),
  operation({
    id: 'listPosts',
    method: 'get',
    path: '/posts',
    restOnly: 'GraphQL has `nodes`, and `accountFeed` for one author',
    access: 'public',
    scope: readPosts,
    query: WantedPosts,
    returns: PostPage,
    fails: ['not_found'],
    summary: 'Read up to 50 posts by their ids, or list the newest posts of one author',
    description:
      'Send either `ids` or `author`. With `ids`, the items are in the order of the ids, without posts that you may not read or that do not exist; there is no further page. With `author`, the list is that of `getAccountFeed`.',
    run: listPosts,
  }),
] satisfies Operation[]
