import { useComputed, useSignalEffect } from '@preact/signals'
import { useId } from 'preact/hooks'
import type { Post } from '../../client/wire.ts'
import { currentAccount } from '../state/current-account.ts'
import { attachImages, characterCount, type Draft, publishDraft } from '../state/draft.ts'
import { limits } from '../state/limits.ts'
import { showToast } from '../state/toasts.ts'
import { Attachments } from './attachments.tsx'
import { Avatar } from './avatar.tsx'
import { CharacterCounter, ImagePicker, VisibilitySelect } from './composer-tools.tsx'
import { FormError } from './field.tsx'
import { GrowingTextArea } from './growing-text-area.tsx'
import { useForm } from './use-form.ts'

type Props = {
  draft: Draft
  label: string
  action: string
  onPublished: (post: Post) => void
  isComment?: boolean
}

/** A form for a new post or comment. Images can be picked, pasted or dropped. */
export function Composer({ draft, label, action, onPublished, isComment = false }: Props) {
  const id = useId()
  const left = useComputed(() => limits.value.postLength - characterCount(draft.text.value)).value
  const isEmpty = draft.text.value.trim() === '' && draft.attachments.value.length === 0
  const canPublish = !isEmpty && left >= 0
  const form = useForm(async () => {
    if (canPublish) onPublished(await publishDraft(draft))
  })
  useSignalEffect(() => {
    if (draft.attachments.value) form.clearError()
  })
  return (
    <form
      class="composer"
      aria-label={isComment ? 'New comment' : 'New post'}
      {...form.attributes}
      onDrop={(event) => dropImages(draft, event)}
      onDragOver={(event) => event.preventDefault()}
    >
      {currentAccount.value && <Avatar account={currentAccount.value} />}
      <div class="composer-body">
        <GrowingTextArea text={draft.text} id={id} label={label} onPaste={(event) => pasteImages(draft, event)} />
        <Attachments draft={draft} />
        <FormError form={form} />
        <div class="composer-tools">
          <ImagePicker draft={draft} onPick={(files) => addImages(draft, files)} />
          {!isComment && <VisibilitySelect draft={draft} />}
          <CharacterCounter id={`${id}-count`} left={left} />
          {/* Not `disabled`, only aria-disabled: a disabled button would lose the focus when the post is published. */}
          <button type="submit" aria-disabled={!canPublish || form.busy.value}>
            {form.busy.value ? 'Posting…' : action}
          </button>
        </div>
      </div>
    </form>
  )
}

function addImages(draft: Draft, files: File[]): void {
  for (const problem of attachImages(draft, files)) showToast(problem, true)
}

function pasteImages(draft: Draft, event: ClipboardEvent): void {
  const files = imagesIn(event.clipboardData)
  if (files.length === 0) return
  event.preventDefault()
  addImages(draft, files)
}

function dropImages(draft: Draft, event: DragEvent): void {
  event.preventDefault()
  addImages(draft, imagesIn(event.dataTransfer))
}

const imagesIn = (data: DataTransfer | null) =>
  [...(data?.files ?? [])].filter((file) => file.type.startsWith('image/'))
