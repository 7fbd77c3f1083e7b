import type { ComponentChildren } from 'preact'
import { announcement, dismissToast, type Toast, toasts } from '../state/toasts.ts'

/** The toasts, which lie over the page, with `children` below them. */
export function Toasts({ children }: { children: ComponentChildren }) {
  return (
    <div class="toasts">
      <div role="alert">
        <ToastList toasts={toasts.value.filter(({ failure }) => failure)} />
      </div>
      <div role="status">
        <ToastList toasts={toasts.value.filter(({ failure }) => !failure)} />
      </div>
      <div class="visually-hidden" role="status">
        {announcement}
      </div>
      {children}
    </div>
  )
}

function ToastList({ toasts }: { toasts: Toast[] }) {
  return (
    <>
      {toasts.map(({ id, text, failure }) => (
        <p key={id} class={failure ? 'toast failure' : 'toast'}>
          {text}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismissToast(id)}>
            ×
          </button>
        </p>
      ))}
    </>
  )
}
