import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Conversation as Facts } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { inbox, loadUnreadMessages, markRead, requests } from '../state/conversations.ts'
import { groupNames, loadGroupNames } from '../state/group-names.ts'
import { clear } from '../state/list.ts'
import { navigate } from '../state/location.ts'
import { createPresence, listenTo, loadMessages, type Presence } from '../state/messages.ts'
import { reportError } from '../state/toasts.ts'
import { ConversationTools } from '../ui/conversation-tools.tsx'
import { Link } from '../ui/link.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { Log } from '../ui/message-log.tsx'
import { MessageWriter, type Target } from '../ui/message-writer.tsx'
import { View } from '../ui/view.tsx'
import { nameOf } from './messages.tsx'
import { ErrorView } from './not-found.tsx'

export function Conversation({ id }: { id: string }) {
  const facts = useSignal<Facts | null>(null)
  const target = useSignal<Target | null>(null)
  const presence = usePresence(id)
  const { error, retry } = useLoad(async () => {
    facts.value = await loadMessages(id)
    groupNames.value = null
    if (isJoined(facts.value)) await loadGroupNames(id)
    await markRead(id)
    await loadUnreadMessages()
  })
  if (error.value) return <ErrorView title="Conversation" error={error.value} retry={retry} />
  const { value } = facts
  if (!value) return <View title="Conversation" children={<Loading />} />
  const answered = (state: Facts['state']) => {
    if (value.kind === 'group' && value.state !== state) void retry()
    else facts.value = { ...value, state }
  }
  const reads = value.kind === 'pair' || isJoined(value)
  return (
    <View title={nameOf(value)} windowTitle={`Messages with ${nameOf(value)}`}>
      <Context facts={value} />
      {value.state === 'request' && <Request facts={value} onAnswer={answered} />}
      {reads && <ConversationTools facts={facts} />}
      {reads && <Log id={id} target={target} presence={presence} ended={value.ended} />}
      {!reads ? null : value.ended ? (
        <p class="ended">No messages can be sent in this conversation.</p>
      ) : (
        <MessageWriter id={id} target={target} onSent={() => answered('active')} />
      )}
    </View>
  )
}

function Context({ facts }: { facts: Facts }) {
  return (
    <p class="context">
      <Link href="/messages">All messages</Link>
      {facts.account && (
        <>
          {' · '}
          <Link href={`/@${facts.account.handle}`}>@{facts.account.handle}</Link>
        </>
      )}
      {isJoined(facts) && (
        <>
          {' · '}
          <Link href={`/groups/${facts.id}`}>Members and settings</Link>
        </>
      )}
    </p>
  )
}

const isJoined = ({ kind, state }: Facts) => kind === 'group' && state === 'active'

function usePresence(id: string): Presence {
  const presence = useMemo(createPresence, [id])
  useEffect(() => {
    const controller = new AbortController()
    void listenTo(id, presence, controller.signal).catch(() => {})
    return () => controller.abort()
  }, [id])
  return presence
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
      <p>
        {facts.kind === 'group'
          ? `You are invited to the group ${nameOf(facts)}`
          : `${nameOf(facts)} wants to write to you`}
        . If you decline, they are not told.
      </p>
      <button type="button" onClick={() => void answer(true).catch(reportError)}>
        Accept
      </button>
      <button type="button" class="secondary" onClick={() => void answer(false).catch(reportError)}>
        Decline
      </button>
    </section>
  )
}
