import type { Message } from '../../client/wire.ts'

/** `isComplete`: no older messages are left to load. */
type Changes = { changed: readonly Message[]; hidden: readonly number[]; isComplete: boolean }

/** The messages, newest first, with changes. What is older than all loaded ones is loaded later, in its place. */
export function merged(messages: readonly Message[], { changed, hidden, isComplete }: Changes): Message[] {
  const byId = new Map(changed.map((message) => [message.id, message]))
  const gone = new Set([...hidden, ...changed.flatMap(({ seq, kind }) => (kind === 'deleted' ? [seq] : []))])
  const oldest = isComplete ? 0 : (messages.at(-1)?.seq ?? 0)
  const loaded = new Set(messages.map(({ id }) => id))
  const added = changed.filter(({ id, seq }) => seq > oldest && !loaded.has(id))
  const kept = messages.filter(({ seq }) => !hidden.includes(seq)).map((message) => byId.get(message.id) ?? message)
  const shown = [...added, ...kept].sort((one, other) => other.seq - one.seq)
  return shown.map((message) => withoutQuoteOf(gone, message))
}

function withoutQuoteOf(gone: ReadonlySet<number>, message: Message): Message {
  const { replyTo } = message
  if (replyTo === null || !gone.has(replyTo.seq)) return message
  return { ...message, replyTo: { ...replyTo, authorId: null, text: null } }
}
