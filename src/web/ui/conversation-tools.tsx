import { type Signal, useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import type { Conversation, Message } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { loadUnreadMessages } from '../state/conversations.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Menu } from './menu.tsx'
import { RichText } from './rich-text.tsx'
import { Ago } from './time.tsx'

const HOUR_MS = 3_600_000
const FOREVER = '9999-12-31T00:00:00Z'

/** The search in the messages of the conversation, what is pinned in it, and muting. */
export function ConversationTools({ facts }: { facts: Signal<Conversation | null> }) {
  const { value } = facts
  if (!value) return null
  const mute = async (hours: number | null) => {
    const place = { conversationId: value.id }
    const until = hours === null ? FOREVER : new Date(Date.now() + hours * HOUR_MS).toISOString()
    if (hours === 0) await client.unmuteConversation(place)
    else await client.muteConversation({ ...place, until })
    facts.value = { ...value, isMuted: hours !== 0, mutedUntil: (hours && until) || null }
    showToast(hours === 0 ? 'Not muted any more' : 'Conversation muted')
    await loadUnreadMessages()
  }
  const select = (hours: number | null) => () => void mute(hours).catch(reportError)
  const muting = value.isMuted
    ? [{ label: 'End muting', onSelect: select(0) }]
    : [
        { label: 'For 8 hours', onSelect: select(8) },
        { label: 'For ever', onSelect: select(null) },
      ]
  return (
    <div class="tools">
      <Search id={value.id} />
      <Pins id={value.id} />
      <Menu label={value.isMuted ? 'Muted' : 'Mute'} actions={muting} />
    </div>
  )
}

function Pins({ id }: { id: string }) {
  const pinned = useSignal<Message[] | null>(null)
  const toggle = async () => {
    pinned.value = pinned.value ? null : (await client.listPinnedMessages({ conversationId: id })).items
  }
  return (
    <div>
      <button
        type="button"
        class="secondary"
        aria-expanded={pinned.value !== null}
        onClick={() => void toggle().catch(reportError)}
      >
        Pinned
      </button>
      {pinned.value && (
        <Found label="Pinned messages" none="Nothing is pinned." messages={pinned.value} onMore={null} />
      )}
    </div>
  )
}

function Search({ id }: { id: string }) {
  const field = useId()
  const found = useSignal<Message[] | null>(null)
  const next = useSignal<number | null>(null)
  const query = useSignal('')
  const search = async (before?: number) => {
    const answer = await client.searchMessages({ conversationId: id, q: query.value, before, limit: 20 })
    found.value = [...(before === undefined ? [] : (found.value ?? [])), ...answer.items]
    next.value = answer.next
  }
  const submit = (event: Event) => {
    event.preventDefault()
    if (query.value.trim() === '') found.value = null
    else void search().catch(reportError)
  }
  return (
    <search>
      <form onSubmit={submit}>
        <label for={field} class="visually-hidden">
          Search these messages
        </label>
        <input
          id={field}
          type="search"
          maxLength={100}
          placeholder="Search these messages"
          onInput={({ currentTarget }) => {
            query.value = currentTarget.value
          }}
        />
      </form>
      {found.value && (
        <Found
          messages={found.value}
          onMore={next.value === null ? null : () => void search(next.value ?? 1).catch(reportError)}
        />
      )}
    </search>
  )
}

type Listed = { label?: string; none?: string; messages: Message[]; onMore: (() => void) | null }

function Found({ label = 'Found messages', none = 'Nothing found.', messages, onMore }: Listed) {
  return (
    <section class="card found" aria-label={label}>
      {messages.length === 0 && onMore === null && <p>{none}</p>}
      <ol>
        {messages.map((message) => (
          <li key={message.id}>
            <RichText text={message.text ?? ''} entities={message.entities} />
            <Ago at={message.createdAt} />
          </li>
        ))}
      </ol>
      {onMore && (
        <button type="button" class="secondary" onClick={onMore}>
          Search older messages
        </button>
      )}
    </section>
  )
}
