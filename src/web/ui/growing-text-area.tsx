import { type Signal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'

type Props = { text: Signal<string>; id: string; label: string; onPaste: (event: ClipboardEvent) => void }

/** A text area that grows with its text. Ctrl+Enter or Cmd+Enter submits the form. */
export function GrowingTextArea({ text, id, label, onPaste }: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  useSignalEffect(() => {
    const { current } = area
    if (!current || text.value === undefined) return
    current.style.height = 'auto'
    current.style.height = `${current.scrollHeight}px`
  })
  return (
    <>
      <label for={id} class="visually-hidden">
        {label}
      </label>
      <textarea
        ref={area}
        id={id}
        rows={2}
        dir="auto"
        placeholder={label}
        aria-describedby={`${id}-count`}
        value={text.value}
        onKeyDown={submitByShortcut}
        onPaste={onPaste}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value
        }}
      />
    </>
  )
}

function submitByShortcut(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
  event.preventDefault()
  event.currentTarget.closest('form')?.requestSubmit()
}
