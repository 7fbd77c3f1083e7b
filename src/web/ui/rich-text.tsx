import type { ComponentChildren } from 'preact'
import type { Entity } from '../api/wire.ts'
import { Link } from '../router.tsx'

/** A post's text with its mentions and links alive. Hashtags only stand out: there is no feed of one to go to. */
export function RichText({ text, entities }: { text: string; entities: Entity[] }) {
  const parts: ComponentChildren[] = []
  let at = 0
  for (const entity of [...entities].sort((a, b) => a.start - b.start)) {
    if (entity.start < at) continue
    parts.push(text.slice(at, entity.start), alive(entity, text.slice(entity.start, entity.end)))
    at = entity.end
  }
  return (
    <p class="text" dir="auto">
      {parts}
      {text.slice(at)}
    </p>
  )
}

function alive(entity: Entity, label: string) {
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
  return (
    <span key={entity.start} class="tag">
      {label}
    </span>
  )
}
