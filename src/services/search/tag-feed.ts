import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { tagOf } from '../posts/queries.ts'
import type { Post } from '../posts/views.ts'
import { matches } from './match.ts'
import { tagMatch } from './queries.ts'
import { visiblePage } from './scan-visible.ts'
import { postSearch } from './tables.ts'

const MAX_TAGS = 4

const Tags = z
  .string()
  .max(4_000)
  .transform((list, { addIssue }) => {
    const tags = list.split(',').map(tagOf)
    if (tags.length > MAX_TAGS || tags.includes(null)) {
      addIssue({ code: 'custom', message: `must have at most ${MAX_TAGS} hashtags, separated by commas` })
    }
    return tags.flatMap((tag) => tag ?? [])
  })
  .optional()

export const TagFeedQuery = PageQuery.extend({
  any: Tags.openapi({
    type: 'string',
    maxLength: 4_000,
    description: 'Also posts with one of these hashtags, instead of the one of the path',
  }),
  all: Tags.openapi({ type: 'string', maxLength: 4_000, description: 'Only posts that have all of these too' }),
  none: Tags.openapi({ type: 'string', maxLength: 4_000, description: 'No posts that have one of these' }),
})
type TagFeedQuery = z.infer<typeof TagFeedQuery>

/** Public posts with the hashtag, newest first, without comments. */
export async function tagFeed(
  ctx: Ctx,
  { tag, any = [], all = [], none = [], ...query }: TagFeedQuery & { tag: string },
): Promise<Page<Post>> {
  const list = `posts tagged ${[[tag, ...any], all, none].map((each) => [...each].sort().join(' ')).join(' / ')}`
  const from = await seek(ctx, query, list, postSearch.id)
  const where = matches(postSearch, tagMatch({ any: [tag, ...any], all, none }))
  return visiblePage(ctx, from, { where }, ({ post }) => post)
}
