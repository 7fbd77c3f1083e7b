import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { invalid } from '../../platform/failures.ts'
import type { Span } from './scan.ts'

const span = {
  start: z.int().openapi({ description: 'The first code point, counted from 0' }),
  end: z.int().openapi({ description: 'The code point after the last one' }),
}

export const Entity = z
  .discriminatedUnion('kind', [
    z
      .object({ kind: z.literal('mention'), ...span, accountId: Id, handle: z.string() })
      .openapi('MentionEntity', { example: { start: 14, end: 20, accountId: '1970324836990977', handle: 'grace' } }),
    z
      .object({
        kind: z.literal('hashtag'),
        ...span,
        tag: z.string().openapi({ description: 'Without the #, and case-folded, so that `#Tag` and `#tag` are equal' }),
      })
      .openapi('HashtagEntity', { example: { start: 22, end: 30, tag: 'engines' } }),
    z
      .object({
        kind: z.literal('link'),
        ...span,
        url: z.string().openapi({ description: 'With `https://` if the text has no scheme' }),
      })
      .openapi('LinkEntity', { example: { start: 31, end: 56, url: 'https://example.org/notes' } }),
  ])
  .openapi('Entity', {
    description: 'A part of a text. Offsets count Unicode code points, not UTF-16 units or bytes.',
  })
export type Entity = z.infer<typeof Entity>

const MAX_MENTIONS = 20
const MAX_ENTITIES = 50
/** Limits the rows that a lookup of handles reads in its one query. */
const MAX_LOOKUPS = 200

/** The handles to look up for `entitiesOf`. Many may belong to nobody, so their limit exceeds that of mentions. */
export function mentionedHandles(spans: readonly Span[]): string[] {
  const handles = new Set(spans.flatMap((found) => (found.kind === 'mention' ? [found.handle] : [])))
  if (handles.size > MAX_LOOKUPS) throw invalid('text', `has more than ${MAX_LOOKUPS} different words with an @`)
  return [...handles]
}

/** A mention of an unknown account stays plain text. */
export function entitiesOf(spans: readonly Span[], accountIds: ReadonlyMap<string, Id>): Entity[] {
  const entities = spans.flatMap((found): Entity[] => {
    if (found.kind !== 'mention') return [found]
    const accountId = accountIds.get(found.handle)
    return accountId ? [{ ...found, accountId }] : []
  })
  const mentioned = mentionedIn(entities)
  if (mentioned.length > MAX_MENTIONS) throw invalid('text', `mentions more than ${MAX_MENTIONS} accounts`)
  if (entities.length > MAX_ENTITIES) {
    throw invalid('text', `has more than ${MAX_ENTITIES} mentions, hashtags and links`)
  }
  return entities
}

export function mentionedIn(entities: readonly Entity[]): Id[] {
  return [...new Set(entities.flatMap((entity) => (entity.kind === 'mention' ? [entity.accountId] : [])))]
}

/** The account that each handle of a text meant when it was written. Another account may have the handle now. */
export function accountsByHandle(entities: readonly Entity[]): Map<string, Id> {
  return new Map(entities.flatMap((entity) => (entity.kind === 'mention' ? [[entity.handle, entity.accountId]] : [])))
}
