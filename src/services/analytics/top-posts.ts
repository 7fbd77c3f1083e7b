import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { invalid } from '../../platform/failures.ts'
import { isPublic } from '../posts/policy.ts'
import { loadPosts, Post } from '../posts/views.ts'
import { bucketOf, dateOf } from './buckets.ts'
import { Day } from './day.ts'
import { Format } from './period.ts'
import { topPosts } from './tables.ts'

const LISTED = 20

export const TopQuery = z.strictObject({
  day: Day.optional().openapi({ description: 'A day (UTC); today by default' }),
  format: Format,
})

export const TopPosts = z
  .object({
    day: Day,
    posts: z.array(
      z
        .object({ post: Post, engagement: z.int().openapi({ description: 'Likes and comments of the day' }) })
        .openapi('TopPost', { example: { engagement: 31 } }),
    ),
  })
  .openapi('TopPosts', { example: { day: '2026-11-30' } })

/** Public posts only. The list is as old as the last fold, at most 70 minutes. */
export async function getTopPosts(ctx: UserCtx, query: z.infer<typeof TopQuery>): Promise<z.infer<typeof TopPosts>> {
  const day = query.day ?? dateOf(ctx.now())
  if (day > dateOf(ctx.now())) throw invalid('day', 'must not be in the future')
  const bucket = bucketOf('day', Date.parse(day))
  const [list] = await ctx.db.analytics.select().from(topPosts).where(eq(topPosts.bucket, bucket))
  const ids = list?.posts.map(({ postId }) => postId) ?? []
  const visible = await loadPosts(ctx, ids)
  const posts = (list?.posts ?? []).flatMap(({ postId, n }) => {
    const post = visible.get(postId)
    return post && isPublic(post) && n > 0 ? [{ post, engagement: n }] : []
  })
  return { day, posts: posts.slice(0, LISTED) }
}
