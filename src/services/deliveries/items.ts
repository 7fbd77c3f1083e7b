import type { Id } from '../../platform/data/ids.ts'
import type { Stoppable } from './unsubscribe.ts'

/** One line of a mail, or one push. A new push replaces waiting ones with its `topic` (RFC 8030, at most 32 characters), and shown ones with its `tag`. */
export type Item = {
  id: Id
  kind: Stoppable
  title: string
  quote: string | null
  path: string
  topic: string
  tag: string
  isUrgent: boolean
  since?: number
}

export type Items = { items: Item[]; hasMore?: boolean }

/** All in one message, newest first. With `hasMore` there are older ones, too. `several` names them, and `path` lists them. */
export type Message = { items: readonly Item[]; hasMore: boolean; several: string; path: string; subject?: string }

/** Cut after code points. A grapheme may have hundreds of them, which no header or push could carry. */
export function short(text: string, length: number): string {
  const letters = [...text]
  return letters.length > length ? `${letters.slice(0, length - 1).join('')}…` : text
}

export const MAX_NAME = 60
export const MAX_QUOTE = 280

export const singleOf = ({ items: [first, ...others], hasMore }: Message) =>
  first && others.length === 0 && !hasMore ? first : null

export const subjectOf = (message: Message) => {
  const { items, hasMore, several, subject } = message
  return subject ?? singleOf(message)?.title ?? `${items.length}${hasMore ? '+' : ''} ${several}`
}
