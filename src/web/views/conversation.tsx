import { useSignal } from '@preact/signals'
import { useEffect, useId } from 'preact/hooks'
import type { Conversation as Facts, Message } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { inbox, loadUnreadMessages, markRead, messagesOf, requests } from '../state/conversations.ts'
import { clear, loadMore, prepend, reload } from '../state/list.ts'
import { navigate } from '../state/location.ts'
import { reportError } from '../state/toasts.ts'
import { FormError } from '../ui/field.tsx'
import { GrowingTextArea } from '../ui/growing-text-area.tsx'
import { Link } from '../ui/link.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { RichText } from '../ui/rich-text.tsx'
import { Ago } from '../ui/time.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { nameOf } from './messages.tsx'
import { ErrorView } from './not-found.tsx'

export function Conversation({ id }: { id: string }) {
  const facts = useSignal<Facts | null>(null)
  const { error, retry } = useLoad(async () => {
    facts.value = await client.getConversation({ conversationId: id })
    await reload(messagesOf(id))
    await markRead(id)
    await loadUnreadMessages()
  })
  if (error.value) return <ErrorView title="Conversation" error={error.value} retry={retry} />
  const { value } = facts
  if (!value) return <View title="Conversation" children={<Loading />} />
  const answered = (state: Facts['state']) => {
    facts.value = { ...value, state }
  }
  return (
    <View title={nameOf(value)} windowTitle={`Messages with ${nameOf(value)}`}>
      <p class="context">
        <Link href="/messages">All messages</Link>
        {value.account && (
          <>
            {' · '}
            <Link href={`/@${value.account.handle}`}>@{value.account.handle}</Link>
          </>
        )}
      </p>
      {value.state === 'request' && <Request facts={value} onAnswer={answered} />}
      <Log id={id} />
      {value.ended ? (
        <p class="ended">No messages can be sent in this conversation.</p>
      ) : (
        <Writer id={id} onSent={() => answered('active')} />
      )}
    </View>
  )
}

function Request({ facts, onAnswer }: { facts: Facts; onAnswer: (state: Facts['state']) => void }) {
  const answer = async (isAccepted: boolean) => {
    const place = { conversationId: facts.id }
    await (isAccepted ? client.acceptConversation(place) : client.declineConversation(place))
    clear(inbox)
    clear(requests)
    if (isAccepted) onAnswer('active')
    else navigate('/messages')
  }
  return (
    <section class="card request" aria-label="Request">
      <p>{nameOf(facts)} wants to write to you. If you decline, they are not told.</p>
      <button type="button" onClick={() => void answer(true).catch(reportError)}>
        Accept
      </button>
      <button type="button" class="secondary" onClick={() => void answer(false).catch(reportError)}>
        Decline
      </button>
    </section>
  )
}

function Log({ id }: { id: string }) {
  const list = messagesOf(id)
  const messages = list.items.value
  const [newest] = messages
  useEffect(() => {
    scrollTo({ top: document.body.scrollHeight })
  }, [newest?.id])
  return (
    <section aria-label="Messages" aria-busy={list.status.value === 'loading'}>
      {list.nextCursor.value !== null && (
        <button type="button" class="secondary more" onClick={() => void loadMore(list)}>
          Older messages
        </button>
      )}
      {/* biome-ignore lint/a11y/noRedundantRoles: Safari does not treat a list without bullets as a list */}
      <ol class="log" role="list" aria-live="polite">
        {[...messages].reverse().map((message) => (
          <Bubble key={message.id} message={message} />
        ))}
      </ol>
    </section>
  )
}

function Bubble({ message }: { message: Message }) {
  const { authorId, text, entities, createdAt } = message
  const isOwn = authorId === session.value?.id
  return (
    <li class={isOwn ? 'bubble own' : 'bubble'}>
      <span class="visually-hidden">{isOwn ? 'You: ' : 'They: '}</span>
      {text === null ? <p class="gone">Deleted message</p> : <RichText text={text} entities={entities} />}
      <Ago at={createdAt} />
    </li>
  )
}

function Writer({ id, onSent }: { id: string; onSent: () => void }) {
  const field = useId()
  const text = useSignal('')
  const clientId = useSignal(crypto.randomUUID())
  const form = useForm(async () => {
    if (text.value.trim() === '') return
    const message = await client.sendMessage({ conversationId: id, clientId: clientId.value, text: text.value })
    prepend(messagesOf(id), [message])
    clientId.value = crypto.randomUUID()
    text.value = ''
    onSent()
  })
  return (
    <form class="composer writer" aria-label="New message" {...form.attributes}>
      <div class="composer-body">
        <GrowingTextArea text={text} id={field} label="Write a message" onPaste={() => {}} />
        <FormError form={form} />
      </div>
      <button type="submit" aria-disabled={text.value.trim() === '' || form.busy.value}>
        Send
      </button>
    </form>
  )
}
