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
