import { z } from '@hono/zod-openapi'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { notFound } from '../../platform/failures.ts'
import { visiblePosts } from '../posts/views.ts'
import { surfaces } from './activities.ts'
import { bucketsBetween, dateOf } from './buckets.ts'
import { Day } from './day.ts'
import { authorCounts, keysOf } from './erasure.ts'
import { Surface } from './impressions.ts'
import { daysOf, InsightSteps, type Period, type PeriodQuery, periodOf, pointsOf, rounded } from './period.ts'
import { type Numbers, numbersOf } from './reading.ts'

const fewer = 'Null if they were fewer than 5'
const people = (description: string) =>
  z
    .int()
    .nullable()
    .openapi({ description: `${description}. ${fewer} people` })

const Point = z.object({
  start: Day,
  impressions: people(
    'How often people saw a post: once for each person, post and day. Days with fewer than 5 people are left out',
  ),
  reach: people('The people who saw a post, each once in the step'),
  likes: z.int().openapi({ description: 'Each person counts once a day, also if the like was withdrawn' }),
  comments: z.int(),
})
export const InsightPoint = Point.extend({
  newFollowers: z.int(),
}).openapi('InsightPoint', { example: { start: '2026-11-30', impressions: 40, reach: 15, likes: 3, comments: 1 } })
export const PostInsightPoint = Point.openapi('PostInsightPoint', {
  example: { start: '2026-11-30', impressions: 40, reach: 40, likes: 3, comments: 1 },
})

const Source = z
  .object({ surface: Surface, readers: z.int() })
  .openapi('ReaderSource', { example: { surface: 'home', readers: 12 } })
const BusyHour = z
  .object({ hour: z.int().min(0).max(23).openapi({ description: 'Of the day, in UTC' }), readers: z.int() })
  .openapi('BusyHour', { example: { hour: 18, readers: 9 } })

const about = 'Readers are counted once a week, in multiples of 5. Entries with fewer than 5 in every week are left out'
const Frame = z.object({
  from: Day,
  to: Day,
  step: InsightSteps,
  sources: z.array(Source).openapi({ description: `Where readers saw the posts. ${about}` }),
})
export const Insights = Frame.extend({
  points: z.array(InsightPoint),
  bestHours: z
    .array(BusyHour)
    .openapi({ description: `When people saw the posts in the last two weeks, best hour first. ${about}` }),
}).openapi('Insights', { example: { from: '2026-11-03', to: '2026-11-30', step: 'day' } })
export type Insights = z.infer<typeof Insights>

export const PostInsights = Frame.extend({ postId: Id, points: z.array(PostInsightPoint) }).openapi('PostInsights', {
  example: { postId: '1970324836974593', from: '2026-11-03', to: '2026-11-30', step: 'day' },
})
export type PostInsights = z.infer<typeof PostInsights>

type Query = z.infer<typeof PeriodQuery>
const hours = Array.from({ length: 24 }, (_, hour) => hour)

const frameOf = ({ from, to, step }: Period) => ({ from: dateOf(from), to: dateOf(to), step })
const weeksOf = ({ from, to }: Period) => bucketsBetween('week', from, to)

/** What happened to the posts of the viewer, and who followed. One trip. */
export async function getMyInsights(ctx: UserCtx, query: Query): Promise<Insights> {
  const { id } = ctx.viewer
  const period = periodOf(ctx, query)
  const [days, weeks] = [daysIn(period), weeksOf(period)]
  const lastWeeks = weeks.slice(-2)
  const numbers = await numbersOf(
    ctx,
    [{ metrics: authorCounts, buckets: days, keys: [id] }],
    [
      { metrics: ['author.like', 'author.follow', 'author.views'], buckets: days, keys: [id] },
      { metrics: ['author.reach'], buckets: [...new Set([...days, ...pointsOf(period)])], keys: [id] },
      { metrics: ['author.from'], buckets: weeks, keys: keysOf(id, surfaces) },
      { metrics: ['author.hour'], buckets: lastWeeks, keys: keysOf(id, hours) },
    ],
  )
  const { people } = numbers
  const points = pointsOf(period).map((point) => ({
    start: point.slice(1),
    impressions: roundedSum(daysOf(period, point), (day) =>
      rounded(people('author.reach', day, id)) === null ? 0 : people('author.views', day, id),
    ),
    reach: rounded(people('author.reach', point, id)),
    likes: reactions(numbers, 'author.like', daysOf(period, point), id),
    comments: reactions(numbers, 'author.comment', daysOf(period, point), id),
    newFollowers: reactions(numbers, 'author.follow', daysOf(period, point), id),
  }))
  const bestHours = shown(hours, lastWeeks, (hour, week) => people('author.hour', week, `${id}:${hour}`))
  return {
    ...frameOf(period),
    points,
    bestHours: bestHours.map(([hour, readers]) => ({ hour, readers })),
    sources: sourcesOf(weeks, (surface, week) => people('author.from', week, `${id}:${surface}`)),
  }
}

const daysIn = ({ from, to }: Period) => bucketsBetween('day', from, to)

const total = (buckets: readonly string[], numberOf: (bucket: string) => number) =>
  buckets.reduce((sum, bucket) => sum + numberOf(bucket), 0)

const reactions = ({ count, people }: Numbers, metric: string, days: readonly string[], key: string) =>
  total(days, (day) => count(metric, day, key) + people(metric, day, key))

/** The sum of what is shown of the days, so that a week minus its other days tells nothing of a day. */
function roundedSum(days: readonly string[], numberOf: (day: string) => number): number | null {
  const sum = total(days, (day) => rounded(numberOf(day)) ?? 0)
  return sum === 0 ? null : sum
}

/** The sums over weeks in which enough people are known, largest first. */
function shown<T>(parts: readonly T[], weeks: readonly string[], peopleIn: (part: T, week: string) => number) {
  const sums = parts.map((part): [T, number] => [part, roundedSum(weeks, (week) => peopleIn(part, week)) ?? 0])
  return sums.filter(([, readers]) => readers > 0).sort(([, a], [, b]) => b - a)
}

function sourcesOf(weeks: readonly string[], peopleIn: (surface: string, week: string) => number) {
  return shown(surfaces, weeks, peopleIn).map(([surface, readers]) => ({ surface, readers }))
}

/** Of an own post. Posts of others get the 404 of posts that do not exist. */
export async function getPostInsights(
  ctx: UserCtx,
  { postId, ...query }: Query & { postId: Id },
): Promise<PostInsights> {
  const period = periodOf(ctx, query)
  const post = (await visiblePosts(ctx, [postId])).get(postId)
  if (post?.authorId !== ctx.viewer.id) throw notFound()
  return { postId, ...(await insightsOf(ctx, postId, period)) }
}

async function insightsOf(ctx: SystemCtx, postId: Id, period: Period) {
  const [days, weeks] = [daysIn(period), weeksOf(period)]
  const numbers = await numbersOf(
    ctx,
    [{ metrics: ['post.like', 'post.comment'], buckets: days, keys: [postId] }],
    [
      { metrics: ['post.like'], buckets: days, keys: [postId] },
      { metrics: ['post.reach'], buckets: [...days, ...weeks], keys: [postId] },
      { metrics: ['post.from'], buckets: weeks, keys: keysOf(postId, surfaces) },
    ],
  )
  const { people } = numbers
  const points = pointsOf(period).map((point) => ({
    start: point.slice(1),
    impressions: roundedSum(daysOf(period, point), (day) => people('post.reach', day, postId)),
    reach: rounded(people('post.reach', point, postId)),
    likes: reactions(numbers, 'post.like', daysOf(period, point), postId),
    comments: reactions(numbers, 'post.comment', daysOf(period, point), postId),
  }))
  const sources = sourcesOf(weeks, (surface, week) => people('post.from', week, `${postId}:${surface}`))
  return { ...frameOf(period), points, sources }
}
