import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { MAX_IDS } from '../../platform/data/query-ids.ts'
import { unavailable } from '../../platform/failures.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { type Seen, surfaces } from './activities.ts'

export const Surface = openEnum('Surface', surfaces, 'Where a post was shown')

export const Impressions = z
  .strictObject({ postIds: z.array(Id).min(1).max(MAX_IDS), surface: z.enum(surfaces).openapi('ImpressionSurface') })
  .openapi('Impressions')

/** Which of the posts count is decided when the queue delivers the report, so the answer reveals nothing about them. */
export async function reportImpressions(
  ctx: UserCtx,
  { postIds, surface }: z.infer<typeof Impressions>,
): Promise<void> {
  const seen: Seen = { viewer: ctx.viewer.id, postIds: [...new Set(postIds)], surface, at: ctx.now() }
  await ctx.env.ACTIVITY.sendBatch([{ body: seen }]).catch((error: unknown) => {
    ctx.log.warn('impressions were refused', { error })
    throw unavailable(10)
  })
}
