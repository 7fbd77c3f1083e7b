import { signal } from '@preact/signals'
import { isCode } from '../../client/client.ts'
import { errorText } from '../api/error-text.ts'
import { Cancelled } from '../api/errors.ts'
import { onAccountChange } from '../api/session.ts'

export type Toast = { id: number; text: string; failure: boolean }

export const toasts = signal<Toast[]>([])

/** Text for screen readers only. */
export const announcement = signal('')

let lastId = 0

onAccountChange(() => {
  toasts.value = []
})

/** Announces a text to screen readers without showing it. */
export function announce(text: string): void {
  // Screen readers ignore an unchanged text, so a repetition gets a trailing space.
  announcement.value = announcement.value === text ? `${text}\u00a0` : text
}

/** Shows a message for a few seconds. */
export function showToast(text: string, failure = false): void {
  lastId += 1
  const toast = { id: lastId, text, failure }
  toasts.value = [...toasts.value.slice(-2), toast]
  setTimeout(() => dismissToast(toast.id), failure ? 9_000 : 5_000)
}

/** Shows an error, unless another view does: the login tells why a session has ended. */
export function reportError(error: unknown): void {
  if (!(error instanceof Cancelled) && !isCode(error, 'session_ended')) showToast(errorText(error), true)
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}
