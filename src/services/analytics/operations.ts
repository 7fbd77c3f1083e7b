import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { ActivityChoice, ActivityDecision, getActivityChoice, setActivityChoice } from './choices.ts'
import { CohortQuery, Funnel, getFunnel, getRetention, Retention } from './cohorts.ts'
import { tableOfPoints, tableOfRetention, tableOfTop } from './csv.ts'
import { Impressions, reportImpressions } from './impressions.ts'
import { getMyInsights, getPostInsights, Insights, PostInsights } from './insights.ts'
import { getOverview, Overview } from './network.ts'
import { DateQuery, PeriodQuery } from './period.ts'
import { analyze, readAnalytics, readInsights, writeImpressions } from './policy.ts'
import { getTopPosts, TopPosts, TopQuery } from './top-posts.ts'

const live = 'What happens appears within seconds.'
const few = 'Numbers of readers are multiples of 5, and null or left out below 5, so that they tell of nobody.'
const staff = { method: 'get', access: 'admin', action: readAnalytics, scope: analyze } as const

export const analyticsOperations = [
  operation({
    id: 'reportImpressions',
    method: 'post',
    path: '/impressions',
    access: 'user',
    scope: writeImpressions,
    body: Impressions,
    example: { postIds: ['1970324836974593'], surface: 'home' },
    returns: null,
    summary: 'Report which posts you saw',
    description:
      'Each post counts once for each person and day, if the person agreed (`setActivityChoice`), may see the post, and ' +
      'did not write it. The answer is the same for every post.',
    run: reportImpressions,
  }),
  operation({
    id: 'getActivityChoice',
    method: 'get',
    path: '/me/activity-choice',
    access: 'user',
    ownClients: true,
    returns: ActivityChoice,
    summary: 'Read whether you agreed to be counted in statistics',
    run: getActivityChoice,
  }),
  operation({
    id: 'setActivityChoice',
    method: 'put',
    path: '/me/activity-choice',
    access: 'user',
    ownClients: true,
    body: ActivityDecision,
    example: { agreed: true },
    returns: ActivityChoice,
    summary: 'Agree or decline to be counted in statistics',
    run: setActivityChoice,
  }),
  operation({
    id: 'getMyInsights',
    method: 'get',
    path: '/me/insights',
    access: 'user',
    scope: readInsights,
    query: PeriodQuery,
    returns: Insights,
    csv: tableOfPoints,
    summary: 'Read statistics of your posts and followers',
    description: `${live} ${few}`,
    run: getMyInsights,
  }),
  operation({
    id: 'getPostInsights',
    method: 'get',
    path: '/posts/{postId}/insights',
    access: 'user',
    scope: readInsights,
    params: z.object({ postId: Id }),
    query: PeriodQuery,
    returns: PostInsights,
    csv: tableOfPoints,
    summary: 'Read how one of your own posts does',
    description: `${live} ${few} Posts of others get \`not_found\`.`,
    run: getPostInsights,
  }),
  operation({
    ...staff,
    id: 'getOverview',
    path: '/analytics/overview',
    query: DateQuery,
    returns: Overview,
    csv: tableOfPoints,
    summary: 'Read how active the network is',
    description: `${live} People who declined (\`setActivityChoice\`) are not among the active people.`,
    run: getOverview,
  }),
  operation({
    ...staff,
    id: 'getRetention',
    path: '/analytics/retention',
    query: CohortQuery,
    returns: Retention,
    csv: tableOfRetention,
    summary: 'Read how many people come back in the weeks after their registration',
    run: getRetention,
  }),
  operation({
    ...staff,
    id: 'getFunnel',
    path: '/analytics/funnel',
    query: CohortQuery,
    returns: Funnel,
    csv: tableOfPoints,
    summary: 'Read how many new people verify their address, follow somebody, and publish a post',
    run: getFunnel,
  }),
  operation({
    ...staff,
    id: 'getTopPosts',
    path: '/analytics/top',
    query: TopQuery,
    returns: TopPosts,
    csv: tableOfTop,
    summary: 'List the public posts with the most likes and comments of a day',
    description: 'The list is renewed once an hour.',
    run: getTopPosts,
  }),
] satisfies Operation[]
