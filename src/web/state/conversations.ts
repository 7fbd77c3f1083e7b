import { signal } from '@preact/signals'
import type { Conversation } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onFrame, onGap } from '../api/live.ts'
import { onAccountChange, sameAccount } from '../api/session.ts'
import { collect } from './collect.ts'
import { clear, createList, reload } from './list.ts'
import { location } from './location.ts'
import { loadChanges, messagesOf } from './messages.ts'
import { reportError } from './toasts.ts'

const MIN_LOAD_INTERVAL_MS = 300
const MAX_SHOWN = 99

export const inbox = createList<Conversation>((query) => client.listConversations({ ...query, state: 'active' }))
export const requests = createList<Conversation>((query) => client.listConversations({ ...query, state: 'request' }))

export const unreadMessages = signal(0)
export const waitingRequests = signal(0)
export const unreadMessagesLabel = () => (unreadMessages.value > MAX_SHOWN ? '99+' : String(unreadMessages.value))

onAccountChange(() => {
  clear(inbox)
  clear(requests)
  unreadMessages.value = 0
  waitingRequests.value = 0
})

export async function loadUnreadMessages(): Promise<void> {
  const isSame = sameAccount()
  const counts = await client.countUnreadMessages()
  if (!isSame()) return
  unreadMessages.value = counts.messages
  waitingRequests.value = counts.requests
}

export async function markRead(conversationId: string): Promise<void> {
  const [newest] = messagesOf(conversationId).items.value
  if (newest && !document.hidden) await client.markConversationRead({ conversationId, seq: newest.seq })
}

async function loadChanged(ids: string[]): Promise<void> {
  const shown = ids.find((id) => location.value.path === `/messages/${id}`)
  if (shown) await loadChanges(shown).then(() => markRead(shown), reportError)
  const lists = [inbox, requests].filter(({ status }) => status.value === 'ready')
  await Promise.all([loadUnreadMessages().catch(() => {}), ...lists.map(reload)])
}

const addChanged = collect(MIN_LOAD_INTERVAL_MS, loadChanged)
onFrame('conversation.changed', ({ conversationId, seq, readSeq }) => {
  addChanged(conversationId)
  // Only what has arrived and is not read yet, and nobody waits for the answer.
  if (seq > readSeq) void client.markConversationDelivered({ conversationId, seq }).catch(() => {})
})

onGap(() => {
  const [, first, id = ''] = location.value.path.split('/')
  void loadChanged(first === 'messages' && id ? [id] : [])
})
