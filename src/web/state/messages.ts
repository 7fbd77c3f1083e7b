import { type Signal, signal } from '@preact/signals'
import type { Conversation, MemberMark, Message } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onAccountChange, session } from '../api/session.ts'
import { cachedList, type List, reload, update } from './list.ts'
import { merged } from './merged-messages.ts'

const TYPING_SHOWN_MS = 5_000
const TYPING_TOLD_EVERY_MS = 3_000

/** The revision up to which the loaded messages of a conversation are known. */
const known = new Map<string, number>()
onAccountChange(() => known.clear())

/** The messages of a conversation, newest first. */
export const messagesOf = (conversationId: string): List<Message> =>
  cachedList(`messages of ${conversationId}`, (query) => client.listMessages({ ...query, conversationId }))

export async function loadMessages(conversationId: string): Promise<Conversation> {
  const facts = await client.getConversation({ conversationId })
  // Who has not joined a group reads nothing of it.
  if (facts.kind === 'group' && facts.state !== 'active') return facts
  known.set(conversationId, facts.revision)
  await reload(messagesOf(conversationId))
  return facts
}

/** Loads what is new or changed since the messages were loaded. */
export async function loadChanges(conversationId: string): Promise<void> {
  const since = known.get(conversationId)
  if (since === undefined || messagesOf(conversationId).status.value !== 'ready') {
    await loadMessages(conversationId)
    return
  }
  const { items, hidden, revision, hasMore } = await client.readMessageLog({ conversationId, since, limit: 50 })
  if (hasMore) {
    await loadMessages(conversationId)
    return
  }
  known.set(conversationId, Math.max(revision, known.get(conversationId) ?? 0))
  showChanged(conversationId, items, hidden)
}

/** Replaces loaded messages, adds newer ones, and takes away those that the account has deleted for itself. */
export function showChanged(conversationId: string, changed: readonly Message[], hidden: readonly number[] = []): void {
  const list = messagesOf(conversationId)
  const isComplete = list.nextCursor.value === null
  update(list, (messages) => merged(messages, { changed, hidden, isComplete }))
}

/** What the other members of the open conversation are doing. */
export type Presence = { typing: Signal<boolean>; marks: Signal<MemberMark[]> }
export const createPresence = (): Presence => ({ typing: signal(false), marks: signal<MemberMark[]>([]) })

/** Listens until `signal` aborts. Frames of the conversation reach only who shows it. */
export async function listenTo(conversationId: string, presence: Presence, signal: AbortSignal): Promise<void> {
  const load = async () => {
    presence.marks.value = (await client.listMarks({ conversationId })).items
  }
  await load()
  let timer = 0
  const channel = `conversation:${conversationId}`
  for await (const event of client.listen({ channels: [channel], signal, network: window })) {
    if (event.event === 'member.marked') {
      presence.marks.value = withMark(presence.marks.value, event.data)
    } else if (event.event === 'refetch') await load()
    else if (event.event === 'member.typing' && event.data.accountId !== session.value?.id) {
      presence.typing.value = true
      clearTimeout(timer)
      timer = setTimeout(() => (presence.typing.value = false), TYPING_SHOWN_MS)
    } else if (event.event === 'message.sent') presence.typing.value = false
  }
}

/** Frames may overtake each other, and marks only grow. */
function withMark(marks: readonly MemberMark[], mark: MemberMark): MemberMark[] {
  const before = marks.find(({ accountId }) => accountId === mark.accountId)
  const greatest = {
    ...mark,
    deliveredSeq: Math.max(mark.deliveredSeq, before?.deliveredSeq ?? 0),
    readSeq: Math.max(mark.readSeq, before?.readSeq ?? 0),
  }
  return [...marks.filter((other) => other !== before), greatest]
}

let toldAt = 0

/** Tells the others that the viewer is typing, as often as the server passes it on. */
export function tellTyping(conversationId: string): void {
  if (Date.now() - toldAt < TYPING_TOLD_EVERY_MS) return
  toldAt = Date.now()
  void client.showTyping({ conversationId }).catch(() => {})
}
