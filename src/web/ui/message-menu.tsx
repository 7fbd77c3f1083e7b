import { type Signal, useSignal } from '@preact/signals'
import type { Message } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { loadChanges, showChanged } from '../state/messages.ts'
import { reportError } from '../state/toasts.ts'
import { askConfirmation } from './dialog.tsx'
import { Menu } from './menu.tsx'
import type { Target } from './message-writer.tsx'

const EMOJI = ['👍', '❤️', '😂', '😮', '😢']
const EDITABLE_MS = 24 * 3_600_000

type Props = { message: Message; target: Signal<Target | null>; ended: boolean }

/** What the viewer can do with a message. */
export function MessageMenu({ message, target, ended }: Props) {
  const reacting = useSignal(false)
  const { text, authorId, createdAt, isPinned } = message
  const isOwn = authorId === session.value?.id
  const isEditable = isOwn && Date.now() - Date.parse(createdAt) < EDITABLE_MS
  const aim = (kind: Target['kind']) => () => {
    target.value = { kind, message }
    document.querySelector<HTMLElement>('.writer textarea')?.focus()
  }
  const writing = [
    { label: 'Reply', onSelect: aim('reply') },
    { label: 'React', onSelect: () => (reacting.value = true) },
    ...(isEditable ? [{ label: 'Edit', onSelect: aim('edit') }] : []),
    { label: isPinned ? 'Unpin' : 'Pin', onSelect: () => void pin(message).catch(reportError) },
  ]
  const actions = [
    ...(text === null || ended ? [] : writing),
    ...(isOwn && text !== null
      ? [{ label: 'Delete for everybody', onSelect: () => void remove(message).catch(reportError) }]
      : []),
    { label: 'Delete for me', onSelect: () => void hide(message).catch(reportError) },
  ]
  return (
    <>
      {reacting.value && <EmojiRow message={message} onDone={() => (reacting.value = false)} />}
      <Menu label="⋯" name="Actions" actions={actions} />
    </>
  )
}

function EmojiRow({ message, onDone }: { message: Message; onDone: () => void }) {
  const react = async (emoji: string) => {
    onDone()
    showChanged(message.conversationId, [await client.addReaction({ messageId: message.id, emoji })])
  }
  return (
    <fieldset class="emoji">
      <legend class="visually-hidden">React</legend>
      {EMOJI.map((emoji) => (
        <button type="button" class="quiet" key={emoji} onClick={() => void react(emoji).catch(reportError)}>
          {emoji}
        </button>
      ))}
    </fieldset>
  )
}

async function pin({ id: messageId, conversationId, isPinned }: Message): Promise<void> {
  if (isPinned) await client.unpinMessage({ messageId })
  else await client.pinMessage({ messageId })
  await loadChanges(conversationId)
}

async function remove(message: Message): Promise<void> {
  const question = 'Its text, reactions and images are gone for everybody. This cannot be undone.'
  if (!(await askConfirmation('Delete this message?', question, 'Delete'))) return
  await client.deleteMessage({ messageId: message.id })
  showChanged(message.conversationId, [await client.getMessage({ messageId: message.id })])
}

async function hide(message: Message): Promise<void> {
  if (!(await askConfirmation('Delete this message for you?', 'Others still see it.', 'Delete'))) return
  await client.hideMessage({ messageId: message.id })
  showChanged(message.conversationId, [], [message.seq])
}
