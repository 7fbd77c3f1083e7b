import { type Signal, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useId, useMemo } from 'preact/hooks'
import type { Message } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { attachImages, clearDraft, createDraft, type Draft, uploadImages } from '../state/draft.ts'
import { showChanged, tellTyping } from '../state/messages.ts'
import { showToast } from '../state/toasts.ts'
import { Attachments } from './attachments.tsx'
import { ImagePicker } from './composer-tools.tsx'
import { FormError } from './field.tsx'
import { GrowingTextArea } from './growing-text-area.tsx'
import { Icon } from './icons.tsx'
import { useForm } from './use-form.ts'

/** The message that the next text answers or replaces. */
export type Target = { kind: 'reply' | 'edit'; message: Message }

type Props = { id: string; target: Signal<Target | null>; onSent: () => void }

export function MessageWriter({ id, target, onSent }: Props) {
  const field = useId()
  const draft = useMemo(() => createDraft(null), [id])
  const clientId = useSignal(crypto.randomUUID())
  useEffect(() => () => clearDraft(draft), [draft])
  useSignalEffect(() => {
    if (target.value?.kind === 'edit') draft.text.value = target.value.message.text ?? ''
  })
  useSignalEffect(() => {
    if (draft.text.value.trim() !== '') tellTyping(id)
  })
  const isEmpty = draft.text.value.trim() === '' && draft.attachments.value.length === 0
  const form = useForm(async () => {
    if (isEmpty) return
    const { value } = target
    const message = await submit(id, value, draft, clientId.value)
    showChanged(id, [message])
    clientId.value = crypto.randomUUID()
    target.value = null
    clearDraft(draft)
    if (value?.kind !== 'edit') onSent()
  })
  const addImages = (files: File[]) => {
    for (const problem of attachImages(draft, files)) showToast(problem, true)
  }
  return (
    <form class="composer writer" aria-label="New message" {...form.attributes}>
      <div class="composer-body">
        {target.value && <Aim target={target} onCancel={() => clearDraft(draft)} />}
        <GrowingTextArea text={draft.text} id={field} label="Write a message" onPaste={() => {}} />
        <Attachments draft={draft} />
        <FormError form={form} />
        {target.value?.kind !== 'edit' && <ImagePicker draft={draft} onPick={addImages} />}
      </div>
      <button type="submit" aria-disabled={isEmpty || form.busy.value}>
        {target.value?.kind === 'edit' ? 'Save' : 'Send'}
      </button>
    </form>
  )
}

async function submit(id: string, target: Target | null, draft: Draft, clientId: string): Promise<Message> {
  const text = draft.text.value
  if (target?.kind === 'edit') return client.editMessage({ messageId: target.message.id, text })
  const media = await uploadImages(draft)
  return client.sendMessage({ conversationId: id, clientId, text, media, replyTo: target?.message.seq })
}

function Aim({ target, onCancel }: { target: Signal<Target | null>; onCancel: () => void }) {
  const { value } = target
  if (!value) return null
  const cancel = () => {
    target.value = null
    if (value.kind === 'edit') onCancel()
  }
  return (
    <p class="aim">
      <span dir="auto">
        {value.kind === 'edit' ? 'Edit: ' : 'Reply to: '}
        {value.message.text || 'Image'}
      </span>
      <button type="button" class="quiet round" aria-label="Cancel" onClick={cancel}>
        <Icon name="close" />
      </button>
    </p>
  )
}
