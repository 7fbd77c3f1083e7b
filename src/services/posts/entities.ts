import { z } from '@hono/zod-openapi'
import { invalid } from '../../platform/failures.ts'
import 'linkify-plugin-hashtag'
import 'linkify-plugin-mention'
import { find } from 'linkifyjs'
import { Id } from '../../platform/data/ids.ts'
import { Handle } from '../identity/views.ts'

const span = { start: z.int(), end: z.int() }

/** Offsets are UTF-16 code units; `end` is exclusive. */
export const Entity = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('mention'), ...span, accountId: Id, handle: z.string() }),
    z.object({ kind: z.literal('hashtag'), ...span, tag: z.string() }),
    z.object({ kind: z.literal('link'), ...span, url: z.string() }),
  ])
  .openapi('Entity')
export type Entity = z.infer<typeof Entity>

const MAX_MENTIONS = 20
const MAX_ENTITIES = 50

export function mentionedHandles(text: string): string[] {
  const unique = new Set(find(text, 'mention').map((mention) => handleOf(mention.value)))
  const handles = [...unique].filter((handle) => Handle.safeParse(handle).success)
  if (handles.length > MAX_MENTIONS) throw invalid('text', `mentions more than ${MAX_MENTIONS} accounts`)
  return handles
}

/** A mention of an unknown account stays plain text. */
export function entitiesOf(text: string, accountIds: ReadonlyMap<string, Id>): Entity[] {
  const entities = find(text).flatMap(({ type, value, start, end, href }): Entity[] => {
    const accountId = type === 'mention' ? accountIds.get(handleOf(value)) : undefined
    if (accountId) return [{ kind: 'mention', start, end, accountId, handle: handleOf(value) }]
    if (type === 'hashtag') return [{ kind: 'hashtag', start, end, tag: value.slice(1).normalize('NFC').toLowerCase() }]
    if (type === 'url' && /^https?:/i.test(href)) return [{ kind: 'link', start, end, url: href }]
    return []
  })
  return entities.slice(0, MAX_ENTITIES)
}

export function mentionedIn(entities: readonly Entity[]): Id[] {
  return [...new Set(entities.flatMap((entity) => (entity.kind === 'mention' ? [entity.accountId] : [])))]
}

function handleOf(mention: string): string {
  return mention.slice(1).toLowerCase()
}
