import { z } from '@hono/zod-openapi'
import { and, asc, eq, lt, ne } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { failUnless, refusals } from '../../platform/data/conditions.ts'
import { Failure } from '../../platform/failures.ts'
import { tagOf } from '../posts/queries.ts'
import { tagFollows } from './tables.ts'
import type { FollowedTags } from './views.ts'

const MAX_FOLLOWED = 100

/** A hashtag of a path, with or without #. Any other text gets 404. */
export const TagPath = z.object({
  tag: z
    .string()
    .max(1_000)
    .transform((text, { addIssue }) => {
      const tag = tagOf(text)
      if (tag === null) addIssue({ code: 'custom', message: 'is not a hashtag' })
      return tag ?? ''
    })
    .openapi({ type: 'string', maxLength: 1_000, example: 'engines' }),
})
type TagPath = z.infer<typeof TagPath>

export async function followTag(ctx: UserCtx, { tag }: TagPath): Promise<void> {
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  const own = eq(tagFollows.accountId, accountId)
  const mayFollow = lt(db.$count(tagFollows, and(own, ne(tagFollows.tag, tag))), MAX_FOLLOWED)
  await db
    .batch([
      failUnless(db, mayFollow, 'too_many'),
      db.insert(tagFollows).values({ accountId, tag }).onConflictDoNothing(),
    ])
    .catch(refusals({ too_many: () => new Failure('conflict', `You already follow ${MAX_FOLLOWED} hashtags`) }))
}

export async function unfollowTag(ctx: UserCtx, { tag }: TagPath): Promise<void> {
  const accountId = ctx.viewer.id
  const own = and(eq(tagFollows.accountId, accountId), eq(tagFollows.tag, tag))
  await ctx.db.shardOf(accountId).delete(tagFollows).where(own)
}

export async function listFollowedTags(ctx: UserCtx): Promise<FollowedTags> {
  const { tag, accountId } = tagFollows
  const own = eq(accountId, ctx.viewer.id)
  return { items: await ctx.db.shardOf(ctx.viewer.id).select({ tag }).from(tagFollows).where(own).orderBy(asc(tag)) }
}
