import { useComputed, useSignalEffect } from '@preact/signals'
import { useId, useRef } from 'preact/hooks'
import { tell } from './announce.tsx'
import { Attachments } from './attachments.tsx'
import { Avatar } from './avatar.tsx'
import { type Draft, graphemes, IMAGE_TYPES, MAX_IMAGES } from './draft.ts'
import { FormFailure, useForm } from './field.tsx'
import { Icon } from './icons.tsx'
import { me } from './me.ts'
import type { Post } from './wire.ts'

const MAX_LENGTH = 500
const WARN_BELOW = 50

type Props = { draft: Draft; label: string; action: string; onSent: (post: Post) => void; reply?: boolean }

/** Where one writes. Ctrl or Cmd with Enter sends; images may be picked, pasted or dropped. */
export function Composer({ draft, label, action, onSent, reply = false }: Props) {
  const id = useId()
  const left = useComputed(() => MAX_LENGTH - graphemes(draft.text.value)).value
  const isEmpty = draft.text.value.trim() === '' && draft.attachments.value.length === 0
  const form = useForm(async () => {
    if (!isEmpty && left >= 0) onSent(await draft.send())
  })
  const images = imageSources(draft)
  return (
    <form
      class="composer"
      aria-label={reply ? 'New comment' : 'New post'}
      onSubmit={form.onSubmit}
      onDrop={images.drop}
      onDragOver={(event) => event.preventDefault()}
    >
      {me.value && <Avatar of={me.value} />}
      <div class="composer-body">
        <GrowingText draft={draft} id={id} label={label} onPaste={images.paste} />
        <Attachments draft={draft} />
        <FormFailure form={form} />
        <div class="composer-tools">
          <PickImages full={draft.attachments.value.length >= MAX_IMAGES} onPick={images.attach} />
          {!reply && <VisibilityChoice draft={draft} />}
          <Counter id={`${id}-count`} left={left} />
          {/* Never disabled, or it would drop the focus when the post is sent. */}
          <button type="submit" aria-disabled={isEmpty || left < 0 || form.busy.value}>
            {form.busy.value ? 'Sending…' : action}
          </button>
        </div>
      </div>
    </form>
  )
}

function imageSources(draft: Draft) {
  const attach = (files: File[]) => {
    for (const problem of draft.attach(files)) tell(problem, true)
  }
  const paste = (event: ClipboardEvent) => {
    const files = imagesIn(event.clipboardData)
    if (files.length === 0) return
    event.preventDefault()
    attach(files)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    attach(imagesIn(event.dataTransfer))
  }
  return { attach, paste, drop }
}

const imagesIn = (data: DataTransfer | null) =>
  [...(data?.files ?? [])].filter((file) => file.type.startsWith('image/'))

function sendByKey(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
  event.preventDefault()
  event.currentTarget.closest('form')?.requestSubmit()
}

type TextProps = { draft: Draft; id: string; label: string; onPaste: (event: ClipboardEvent) => void }

function GrowingText({ draft, id, label, onPaste }: TextProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  useSignalEffect(() => {
    const { current } = area
    if (!current || draft.text.value === undefined) return
    current.style.height = 'auto'
    current.style.height = `${current.scrollHeight}px`
  })
  return (
    <>
      <label for={id} class="unseen">
        {label}
      </label>
      <textarea
        ref={area}
        id={id}
        rows={2}
        dir="auto"
        placeholder={label}
        aria-describedby={`${id}-count`}
        value={draft.text.value}
        onKeyDown={sendByKey}
        onPaste={onPaste}
        onInput={({ currentTarget }) => {
          draft.text.value = currentTarget.value
        }}
      />
    </>
  )
}

function PickImages({ full, onPick }: { full: boolean; onPick: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" class="quiet tool" disabled={full} onClick={() => input.current?.click()}>
        <Icon name="image" />
        <span>Add images</span>
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={IMAGE_TYPES.join()}
        aria-label="Add images"
        onChange={({ currentTarget }) => {
          onPick([...(currentTarget.files ?? [])])
          currentTarget.value = ''
        }}
      />
    </>
  )
}

function VisibilityChoice({ draft }: { draft: Draft }) {
  const { value } = draft.visibility
  return (
    <label class="tool choice">
      <Icon name={value === 'public' ? 'globe' : 'lock'} />
      <span class="unseen">Who can see it</span>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          draft.visibility.value = currentTarget.value === 'followers' ? 'followers' : 'public'
        }}
      >
        <option value="public">Everyone</option>
        <option value="followers">Followers</option>
      </select>
    </label>
  )
}

/** Shows how much may still be written; says so only when it gets tight, or every key would be talked over. */
function Counter({ id, left }: { id: string; left: number }) {
  const state = left < 0 ? 'over' : left < WARN_BELOW ? 'tight' : ''
  return (
    <span class={`counter ${state}`}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="9.5" pathLength={1} />
        <circle cx="12" cy="12" r="9.5" pathLength={1} stroke-dasharray={`${Math.min(1, 1 - left / MAX_LENGTH)} 1`} />
      </svg>
      <span aria-hidden="true">{left}</span>
      <span id={id} class="unseen">
        {left} characters left
      </span>
      <span class="unseen" role="status">
        {state === 'over'
          ? `${-left} characters too many`
          : left <= WARN_BELOW && left % 10 === 0
            ? `${left} characters left`
            : ''}
      </span>
    </span>
  )
}
