import type { ComponentChildren } from 'preact'
import type { Entity, MessageEntity } from '../../client/wire.ts'
import { tagPath } from '../state/tags.ts'
import { Link } from './link.tsx'

/** The text of a post or message with links, mentions and hashtags. */
export function RichText({ text, entities }: { text: string; entities: (Entity | MessageEntity)[] }) {
  // An array of code points, which the offsets count: a string would be indexed by UTF-16 units.
  const points = Array.from(text)
  const between = (start: number, end?: number) => points.slice(start, end).join('')
  const parts: ComponentChildren[] = []
  let end = 0
  for (const entity of [...entities].sort((a, b) => a.start - b.start)) {
    if (entity.start < end) continue
    parts.push(between(end, entity.start), renderEntity(entity, between(entity.start, entity.end)))
    end = entity.end
  }
  return (
    <p class="text" dir="auto">
      {parts}
      {between(end)}
    </p>
  )
}

function renderEntity(entity: Entity | MessageEntity, label: string) {
  if (entity.kind === 'mention') {
    return (
      <Link key={entity.start} href={`/@${entity.handle}`}>
        {label}
      </Link>
    )
  }
  if (entity.kind === 'link' && /^https?:/i.test(entity.url)) {
    return (
      <a key={entity.start} href={entity.url} target="_blank" rel="noopener noreferrer nofollow">
        {label}
      </a>
    )
  }
  if (entity.kind === 'hashtag') {
    return (
      <Link key={entity.start} href={tagPath(entity.tag)} class="tag">
        {label}
      </Link>
    )
  }
  return label
}
