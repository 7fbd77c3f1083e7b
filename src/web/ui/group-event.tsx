import type { Message } from '../../client/wire.ts'
import { session } from '../api/session.ts'
import { Ago } from './time.tsx'

type Event = NonNullable<Message['event']>

const words: Record<string, (actor: string, subject: string) => string> = {
  invited: () => 'You are invited to the group',
  created: (actor) => `${actor} started the group`,
  joined: (actor, subject) => (actor === subject ? `${subject} joined` : `${actor} added ${subject}`),
  left: (_, subject) => `${subject} left`,
  removed: (actor, subject) => `${actor} removed ${subject}`,
  renamed: (actor) => `${actor} changed the name`,
  promoted: (actor, subject) => `${actor} made ${subject} an admin`,
  demoted: (actor, subject) => `${actor} made ${subject} a member`,
  handed_over: (_, subject) => `${subject} owns the group now`,
  locked: (actor) => `${actor} allows only admins to write`,
  unlocked: (actor) => `${actor} allows everybody to write`,
  history_shown: (actor) => `${actor} shows new members what is written from now on`,
  history_hidden: (actor) => `${actor} hides from new members what was written before they join`,
}

/** A message of the system in words. Later releases may have other events. */
export function wordsOf({ event, actor, subject }: Event): string {
  const ownId = session.value?.id
  const nameOf = (account: Event['actor']) => {
    if (!account) return 'Somebody'
    return account.id === ownId ? 'You' : account.displayName
  }
  return words[event]?.(nameOf(actor), nameOf(subject)) ?? 'The group has changed'
}

export function GroupEventLine({ event, at }: { event: Event; at: string }) {
  return (
    <li class="event">
      {wordsOf(event)} <Ago at={at} />
    </li>
  )
}
