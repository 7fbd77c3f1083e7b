import type { Id } from '../../platform/data/ids.ts'
import type { posts } from '../posts/tables.ts'
import { languageOf } from './language.ts'
import { encoded, indexed } from './tokens.ts'

type Source = Pick<typeof posts.$inferSelect, 'id' | 'authorId' | 'text' | 'entities' | 'media' | 'rootId'> & {
  handle: string
}

export function documentOf({ id, authorId, text, entities, media, rootId, handle }: Source) {
  const language = languageOf(text)
  const facts = [
    authorFact(authorId),
    ...entities.flatMap((entity) => (entity.kind === 'mention' ? [`m${entity.accountId}`] : [])),
    ...(media.length > 0 ? ['hasmedia'] : []),
    ...(entities.some(({ kind }) => kind === 'link') ? ['haslink'] : []),
    ...(rootId === null ? [] : ['isreply', threadFact(rootId)]),
    ...(language ? [`lang${language}`] : []),
  ]
  return {
    id,
    text: indexed(text),
    tags: tagsOf({ entities }).map(encoded).join(' '),
    handle: indexed(handle),
    facts: [...new Set(facts)].join(' '),
  }
}

export const authorFact = (authorId: Id) => `a${authorId}`
export const threadFact = (rootId: Id) => `r${rootId}`

export function tagsOf({ entities }: Pick<Source, 'entities'>): string[] {
  return [...new Set(entities.flatMap((entity) => (entity.kind === 'hashtag' ? [entity.tag] : [])))]
}

type Profile = { id: Id; handle: string; displayName: string; bio: string }

/** The row of an account in `account_search`. The handle is also one token, so that all its beginnings are found. */
export function profileDocumentOf({ id, handle, displayName, bio }: Profile) {
  return { id, handle: `${handle} ${indexed(handle)}`, name: indexed(displayName), bio: indexed(bio) }
}
