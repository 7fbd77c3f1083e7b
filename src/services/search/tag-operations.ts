import { type Operation, operation } from '../../platform/http/operation.ts'
import { moderate, readAccounts, writeAccounts } from '../accounts/policy.ts'
import { readPosts } from '../posts/policy.ts'
import { PostPage } from '../posts/views.ts'
import { hideTrend, showTrend, TrendName } from './hidden-trends.ts'
import { curateTrends } from './policy.ts'
import { TagFeedQuery, tagFeed } from './tag-feed.ts'
import { followTag, listFollowedTags, TagPath, unfollowTag } from './tag-follows.ts'
import { TrendQuery, trendingLinks, trendingPosts, trendingTags } from './trending.ts'
import { FollowedTags, TrendingLinks, TrendingPosts, TrendingTags } from './views.ts'

const trends =
  'Each account counts once, newcomers hardly, and half after six hours. At least three accounts are needed. The lists are made each minute.'

export const tagOperations = [
  operation({
    id: 'getTagFeed',
    method: 'get',
    path: '/feeds/tags/{tag}',
    access: 'public',
    scope: readPosts,
    params: TagPath,
    query: TagFeedQuery,
    returns: PostPage,
    fails: ['unavailable'],
    summary: 'List the newest public posts with a hashtag',
    description: '`any`, `all` and `none` name up to four further hashtags each, separated by commas.',
    run: tagFeed,
  }),
  operation({
    id: 'followTag',
    method: 'put',
    path: '/tags/{tag}/follow',
    access: 'user',
    scope: writeAccounts,
    params: TagPath,
    returns: null,
    fails: ['conflict'],
    summary: 'Follow a hashtag, at most 100',
    description: 'Public posts with it then appear in your home feed.',
    run: followTag,
  }),
  operation({
    id: 'unfollowTag',
    method: 'delete',
    path: '/tags/{tag}/follow',
    access: 'user',
    scope: writeAccounts,
    params: TagPath,
    returns: null,
    summary: 'Stop following a hashtag',
    run: unfollowTag,
  }),
  operation({
    id: 'listFollowedTags',
    method: 'get',
    path: '/me/tags',
    access: 'user',
    scope: readAccounts,
    returns: FollowedTags,
    summary: 'List the hashtags that you follow',
    run: listFollowedTags,
  }),
  operation({
    id: 'getTrendingPosts',
    method: 'get',
    path: '/trending/posts',
    access: 'public',
    scope: readPosts,
    query: TrendQuery,
    returns: TrendingPosts,
    summary: 'List the ten posts that most accounts like or comment on now',
    description: trends,
    run: trendingPosts,
  }),
  operation({
    id: 'getTrendingTags',
    method: 'get',
    path: '/trending/tags',
    access: 'public',
    scope: readPosts,
    query: TrendQuery,
    returns: TrendingTags,
    summary: 'List the ten hashtags that most accounts use now',
    description: trends,
    run: trendingTags,
  }),
  operation({
    id: 'getTrendingLinks',
    method: 'get',
    path: '/trending/links',
    access: 'public',
    scope: readPosts,
    query: TrendQuery,
    returns: TrendingLinks,
    summary: 'List the ten links that most accounts post now',
    description: trends,
    run: trendingLinks,
  }),
  operation({
    id: 'hideTrend',
    method: 'post',
    path: '/trending/hidden',
    access: 'moderator',
    action: curateTrends,
    scope: moderate,
    fresh: true,
    body: TrendName,
    example: { kind: 'tag', key: 'engines' },
    returns: null,
    summary: 'Take an entry out of what is trending',
    run: hideTrend,
  }),
  operation({
    id: 'showTrend',
    method: 'post',
    path: '/trending/shown',
    access: 'moderator',
    action: curateTrends,
    scope: moderate,
    fresh: true,
    body: TrendName,
    example: { kind: 'tag', key: 'engines' },
    returns: null,
    summary: 'Let an entry appear again in what is trending',
    run: showTrend,
  }),
] satisfies Operation[]
