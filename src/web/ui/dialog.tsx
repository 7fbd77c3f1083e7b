import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from './icons.tsx'

type Question = { title: string; text: string; action: string; answer: (yes: boolean) => void }

const question = signal<Question | null>(null)

/** Asks before something that cannot be taken back. */
export function confirmed(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = { title, text, action, answer: resolve }
  })
}

export function ConfirmDialog() {
  const asked = question.value
  if (!asked) return null
  const answer = (yes: boolean) => {
    question.value = null
    asked.answer(yes)
  }
  return (
    <Modal label={asked.title} onClose={() => answer(false)}>
      <h2>{asked.title}</h2>
      <p>{asked.text}</p>
      <div class="actions">
        <button type="button" class="secondary" onClick={() => answer(false)}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={() => answer(true)}>
          {asked.action}
        </button>
      </div>
    </Modal>
  )
}

/** A dialog above the page, which holds the focus and gives it back. */
export function Modal({
  label,
  onClose,
  children,
  wide,
}: {
  label: string
  onClose: () => void
  children: ComponentChildren
  wide?: boolean
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const opener = document.activeElement as HTMLElement | null
    const { current } = dialog
    current?.showModal()
    return () => {
      current?.close()
      opener?.focus({ preventScroll: true })
    }
  }, [])
  const closeOutside = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a dialog hears Escape by itself, as onCancel
    <dialog ref={dialog} class={wide ? 'wide' : undefined} aria-label={label} onCancel={onClose} onClick={closeOutside}>
      {wide && (
        <button type="button" class="close" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      )}
      {children}
    </dialog>
  )
}
