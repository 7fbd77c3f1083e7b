import { useComputed, useSignalEffect } from '@preact/signals'
import { useId, useRef } from 'preact/hooks'
import type { Post } from '../api/wire.ts'
import { me } from '../state/current-account.ts'
import { attach, type Draft, graphemes, sendDraft } from '../state/draft.ts'
import { limits } from '../state/limits.ts'
import { Attachments } from './attachments.tsx'
import { Avatar } from './avatar.tsx'
import { Counter, PickImages, VisibilityChoice } from './composer-tools.tsx'
import { FormFailure, useForm } from './field.tsx'
import { tell } from './toasts.tsx'

type Props = { draft: Draft; label: string; action: string; onSent: (post: Post) => void; reply?: boolean }

/** Where one writes. Ctrl or Cmd with Enter sends; images may be picked, pasted or dropped. */
export function Composer({ draft, label, action, onSent, reply = false }: Props) {
  const id = useId()
  const { postLength, postImages } = limits.value
  const left = useComputed(() => limits.value.postLength - graphemes(draft.text.value)).value
  const isEmpty = draft.text.value.trim() === '' && draft.attachments.value.length === 0
  const form = useForm(async () => {
    if (!isEmpty && left >= 0) onSent(await sendDraft(draft))
  })
  useSignalEffect(() => {
    if (draft.attachments.value) form.forget()
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
          <PickImages full={draft.attachments.value.length >= postImages} onPick={images.add} />
          {!reply && <VisibilityChoice draft={draft} />}
          <Counter id={`${id}-count`} left={left} of={postLength} />
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
  const add = (files: File[]) => {
    for (const problem of attach(draft, files)) tell(problem, true)
  }
  const paste = (event: ClipboardEvent) => {
    const files = imagesIn(event.clipboardData)
    if (files.length === 0) return
    event.preventDefault()
    add(files)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    add(imagesIn(event.dataTransfer))
  }
  return { add, paste, drop }
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
