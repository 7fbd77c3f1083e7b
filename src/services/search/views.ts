import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { Post } from '../posts/views.ts'

const span = {
  start: z.int().openapi({ description: 'The first code point, counted from 0' }),
  end: z.int().openapi({ description: 'The code point after the last one' }),
}
const Highlight = z.object(span).openapi('Highlight', { example: { start: 14, end: 21 } })

export const Snippet = z.object({ ...span, highlights: z.array(Highlight) }).openapi('Snippet', {
  description:
    'The part of the text to show, and the words in it that were found. Offsets count code points of the text',
  example: { start: 0, end: 56 },
})
export type Snippet = z.infer<typeof Snippet>

export const FoundPost = z
  .object({ id: Id.openapi({ description: 'The id of the post' }), post: Post, snippet: Snippet })
  .openapi('FoundPost', { example: { id: '1970324936974593' } })
export type FoundPost = z.infer<typeof FoundPost>
export const FoundPostPage = pageOf('FoundPost', FoundPost)

export const TagUse = z
  .object({
    tag: z.string().openapi({ description: 'Without the #, and case-folded' }),
    uses: z.int().openapi({ description: 'The public posts of the last seven days that use it' }),
  })
  .openapi('TagUse', { example: { tag: 'engines', uses: 12 } })
export const TagUses = z.object({ items: z.array(TagUse) }).openapi('TagUses')
export type TagUses = z.infer<typeof TagUses>

export const FollowedTags = z
  .object({ items: z.array(z.object({ tag: z.string() }).openapi('FollowedTag', { example: { tag: 'engines' } })) })
  .openapi('FollowedTags')
export type FollowedTags = z.infer<typeof FollowedTags>

const why = {
  actors: z
    .int()
    .openapi({ description: 'How many accounts liked, used or linked it, or commented on it', example: 41 }),
  hours: z.int().openapi({ description: 'In how many hours, up to now', example: 3 }),
}
const TrendingPost = z.object({ post: Post, ...why }).openapi('TrendingPost')
const TrendingTag = z.object({ tag: z.string(), ...why }).openapi('TrendingTag', { example: { tag: 'engines' } })
const TrendingLink = z
  .object({ url: z.string(), ...why })
  .openapi('TrendingLink', { example: { url: 'https://example.org/notes' } })
export const TrendingPosts = z.object({ items: z.array(TrendingPost) }).openapi('TrendingPosts')
export const TrendingTags = z.object({ items: z.array(TrendingTag) }).openapi('TrendingTags')
export const TrendingLinks = z.object({ items: z.array(TrendingLink) }).openapi('TrendingLinks')
export type TrendingPosts = z.infer<typeof TrendingPosts>
export type TrendingTags = z.infer<typeof TrendingTags>
export type TrendingLinks = z.infer<typeof TrendingLinks>
