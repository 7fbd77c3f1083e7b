import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from './icons.tsx'

type Question = { title: string; text: string; action: string; resolve: (confirmed: boolean) => void }

const question = signal<Question | null>(null)

/** Asks the user to confirm an action. Resolves with whether the user did. */
export function askConfirmation(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = { title, text, action, resolve }
  })
}

export function ConfirmDialog() {
  if (!question.value) return null
  const { title, text, action, resolve } = question.value
  const answer = (confirmed: boolean) => {
    question.value = null
    resolve(confirmed)
  }
  return (
    <Modal label={title} onClose={() => answer(false)}>
      <h2>{title}</h2>
      <p>{text}</p>
      <div class="actions">
        <button type="button" class="secondary" onClick={() => answer(false)}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={() => answer(true)}>
          {action}
        </button>
      </div>
    </Modal>
  )
}

type ModalProps = { label: string; onClose: () => void; children: ComponentChildren; wide?: boolean }

/** A modal dialog. When it closes, the element that was focused before gets the focus again. */
export function Modal({ label, onClose, children, wide }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const opener = document.activeElement
    const { current } = dialog
    current?.showModal()
    return () => {
      current?.close()
      if (opener instanceof HTMLElement) opener.focus({ preventScroll: true })
    }
  }, [])
  const closeOutside = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the browser handles Escape and fires onCancel
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
