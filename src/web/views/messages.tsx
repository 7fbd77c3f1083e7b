import { useSignal } from '@preact/signals'
import type { Conversation } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { inbox, requests, waitingRequests } from '../state/conversations.ts'
import { reportError } from '../state/toasts.ts'
import { Avatar } from '../ui/avatar.tsx'
import { wordsOf } from '../ui/group-event.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { useLoad } from '../ui/loading.tsx'
import { Ago } from '../ui/time.tsx'
import { View } from '../ui/view.tsx'

/** The inbox, and in a second tab the requests of people whom the account does not follow. */
export function Messages() {
  const showsRequests = useSignal(false)
  const list = showsRequests.value ? requests : inbox
  useList(list)
  const tab = (label: string, isRequests: boolean) => (
    <button
      type="button"
      class={showsRequests.value === isRequests ? '' : 'secondary'}
      aria-pressed={showsRequests.value === isRequests}
      onClick={() => {
        showsRequests.value = isRequests
      }}
    >
      {label}
    </button>
  )
  const count = waitingRequests.value
  return (
    <View title="Messages">
      <div class="folders">
        {tab('Inbox', false)}
        {tab(count > 0 ? `Requests (${count})` : 'Requests', true)}
        <Link href="/messages/new-group" class="button secondary">
          New group
        </Link>
      </div>
      <ListView
        key={String(showsRequests.value)}
        list={list}
        label={showsRequests.value ? 'Requests' : 'Inbox'}
        moreLabel="Older conversations"
        empty={<Nothing isRequests={showsRequests.value} />}
        render={(conversation) => <ConversationRow conversation={conversation} />}
      />
      <MarksSetting />
    </View>
  )
}

function Nothing({ isRequests }: { isRequests: boolean }) {
  if (isRequests) return <p>No requests. Messages of people whom you don’t follow wait here.</p>
  return <p>No messages yet. Open somebody’s profile to write to them.</p>
}

/** Whether others learn what the account has read, and it learns the same of them. */
function MarksSetting() {
  const sharesMarks = useSignal<boolean | null>(null)
  useLoad(async () => {
    sharesMarks.value = (await client.getMessageSettings()).sharesMarks
  })
  const change = async (shares: boolean) => {
    sharesMarks.value = (await client.setMessageSettings({ sharesMarks: shares })).sharesMarks
  }
  if (sharesMarks.value === null) return null
  return (
    <label class="marks-setting">
      <input
        type="checkbox"
        checked={sharesMarks.value}
        onChange={({ currentTarget }) => void change(currentTarget.checked).catch(reportError)}
      />
      Show each other what was read, and who is writing
    </label>
  )
}

function ConversationRow({ conversation }: { conversation: Conversation }) {
  const { id, account, unread, lastMessage, isMuted } = conversation
  const isOwn = lastMessage?.authorId === session.value?.id
  return (
    <article>
      <Link href={`/messages/${id}`} class={`conversation${unread > 0 ? ' unread' : ''}`}>
        {account ? <Avatar account={account} /> : <span class="avatar" />}
        <span class="about">
          <span class="names">
            <b>{nameOf(conversation)}</b>
            {lastMessage && <Ago at={lastMessage.createdAt} />}
          </span>
          <span class="preview" dir="auto">
            {isOwn && 'You: '}
            {previewOf(lastMessage)}
          </span>
        </span>
        {isMuted && <span class="state">Muted</span>}
        {unread > 0 && (
          <span class="badge">
            {unread} <span class="visually-hidden">unread</span>
          </span>
        )}
      </Link>
    </article>
  )
}

export const nameOf = ({ kind, name, account }: Conversation) =>
  kind === 'group' ? (name ?? 'Group') : (account?.displayName ?? 'Unavailable account')

function previewOf(message: Conversation['lastMessage']): string {
  if (!message) return 'No messages'
  if (message.event) return wordsOf({ event: message.event, actor: null, subject: null })
  return (message.preview ?? 'Deleted message') || 'Image'
}
