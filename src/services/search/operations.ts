import { type Operation, operation } from '../../platform/http/operation.ts'
import { readAccounts } from '../accounts/policy.ts'
import { AccountPage } from '../accounts/views.ts'
import { readPosts } from '../posts/policy.ts'
import { AccountSearchQuery, searchAccounts } from './people.ts'
import { PostSearchQuery, searchPosts } from './posts.ts'
import { tagOperations } from './tag-operations.ts'
import { searchTags } from './tags.ts'
import { FoundPostPage, TagUses } from './views.ts'

const noPositions = 'What is sorted by relevance has no positions that a connection could name'

export const searchOperations = [
  ...tagOperations,
  operation({
    id: 'searchPosts',
    method: 'get',
    path: '/search/posts',
    restOnly: noPositions,
    access: 'public',
    scope: readPosts,
    query: PostSearchQuery,
    returns: FoundPostPage,
    fails: ['unavailable'],
    summary: 'Search public posts and comments',
    description:
      '`q` has words, "phrases", and `-` before what must not occur. Operators: `from:ada`, `to:ada` (who mention ada), `has:media`, ' +
      '`has:link`, `before:2026-01-31`, `after:2026-01-31` (UTC, with that day), `lang:en`, `is:reply` and `min_likes:5`. ' +
      'At most 200 characters, and ten words and operators. In the order `best`, the newest 150 posts that match are ranked, and there ' +
      'is no previous page. A page may be short or empty although another follows, as each looks at a bounded part of all posts.',
    run: searchPosts,
  }),
  operation({
    id: 'searchAccounts',
    method: 'get',
    path: '/search/accounts',
    restOnly: noPositions,
    access: 'public',
    scope: readAccounts,
    query: AccountSearchQuery,
    returns: AccountPage,
    fails: ['unavailable'],
    summary: 'Search accounts while their name is typed',
    description:
      'Finds beginnings of handles and of words in names, and whole words in biographies. Accounts that you block, or that block you, ' +
      'are left out. There is no further page.',
    run: searchAccounts,
  }),
  operation({
    id: 'searchTags',
    method: 'get',
    path: '/search/tags',
    access: 'public',
    scope: readPosts,
    query: AccountSearchQuery,
    returns: TagUses,
    fails: ['unavailable'],
    summary: 'Search hashtags while they are typed, most used first',
    run: searchTags,
  }),
] satisfies Operation[]
