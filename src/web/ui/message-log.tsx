import type { Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Message } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { groupNames, loadGroupNames } from '../state/group-names.ts'
import { loadMore } from '../state/list.ts'
import { loadChanges, messagesOf, type Presence } from '../state/messages.ts'
import { reportError } from '../state/toasts.ts'
import { Modal } from './dialog.tsx'
import { Gallery } from './gallery.tsx'
import { GroupEventLine } from './group-event.tsx'
import { MessageMenu } from './message-menu.tsx'
import type { Target } from './message-writer.tsx'
import { RichText } from './rich-text.tsx'
import { Ago } from './time.tsx'

type Props = { id: string; target: Signal<Target | null>; presence: Presence; ended: boolean }

export function Log({ id, target, presence, ended }: Props) {
  const list = messagesOf(id)
  const messages = list.items.value
  const [newest] = messages
  const lastOwn = messages.find(({ authorId, kind }) => authorId === session.value?.id && kind !== 'deleted')
  useEffect(() => {
    scrollTo({ top: document.body.scrollHeight })
    if (newest?.event && groupNames.value) void loadGroupNames(id).catch(() => {})
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
          <Bubble
            key={message.id}
            message={message}
            target={target}
            ended={ended}
            mark={message === lastOwn ? markOf(message, presence) : null}
          />
        ))}
      </ol>
      <p class="typing" role="status">
        {presence.typing.value && 'Writing…'}
      </p>
    </section>
  )
}

function markOf({ seq }: Message, { marks }: Presence): string | null {
  const all = marks.value
  if (all.some(({ readSeq }) => readSeq >= seq)) return 'Read'
  return all.some(({ deliveredSeq }) => deliveredSeq >= seq) ? 'Delivered' : null
}

type BubbleProps = { message: Message; target: Signal<Target | null>; mark: string | null; ended: boolean }

function Bubble({ message, target, mark, ended }: BubbleProps) {
  const { authorId, text, entities, createdAt, editedAt, replyTo, isPinned, event } = message
  const isOwn = authorId === session.value?.id
  const isGone = text === null
  const name = groupNames.value && ((authorId && groupNames.value.get(authorId)) || 'Somebody')
  if (event) return <GroupEventLine event={event} at={createdAt} />
  return (
    <li class={isOwn ? 'bubble own' : 'bubble'}>
      {name && !isOwn ? <b class="by">{name}</b> : <span class="visually-hidden">{isOwn ? 'You: ' : 'They: '}</span>}
      {replyTo && <blockquote dir="auto">{replyTo.text ?? 'Deleted message'}</blockquote>}
      {isGone && <p class="gone">Deleted message</p>}
      <Images message={message} />
      {text && <RichText text={text} entities={entities} />}
      <Reactions message={message} ended={ended} />
      <p class="about">
        {isPinned && <span>Pinned</span>}
        {editedAt && <span>Edited</span>}
        <Ago at={createdAt} />
        {mark && <span>{mark}</span>}
      </p>
      <MessageMenu message={message} target={target} ended={ended} />
    </li>
  )
}

function Images({ message: { media } }: { message: Message }) {
  return (
    <Gallery
      media={media}
      dialog={(image, close) => (
        <Modal label={image.alt || 'Image'} onClose={close} wide>
          <img src={image.url} alt={image.alt} width={image.width} height={image.height} />
        </Modal>
      )}
    />
  )
}

function Reactions({ message, ended }: { message: Message; ended: boolean }) {
  const { id: messageId, conversationId, reactions } = message
  const toggle = async (emoji: string, isOwn: boolean) => {
    const place = { messageId, emoji }
    if (isOwn) await client.removeReaction(place)
    else await client.addReaction(place)
    await loadChanges(conversationId)
  }
  if (reactions.length === 0) return null
  return (
    <ul class="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, isOwn }) => (
        <li key={emoji}>
          <button
            type="button"
            class="quiet"
            aria-pressed={isOwn}
            aria-label={`${emoji}, ${count}`}
            disabled={ended && !isOwn}
            onClick={() => void toggle(emoji, isOwn).catch(reportError)}
          >
            {emoji} {count}
          </button>
        </li>
      ))}
    </ul>
  )
}
