import { useSignal, useSignalEffect } from '@preact/signals'
import { NetworkError } from '../api/http.ts'
import { live } from '../api/realtime.ts'

export type Form = ReturnType<typeof useForm>

type Submission = {
  /** The value of a field. */
  value: (name: string) => string
  /** The value of the button that submitted the form. */
  action: string
  element: HTMLFormElement
}

/**
 * Submits a form, one submission at a time. An error stays until the user changes the form or, for a network error,
 * until the connection is back. The first invalid field gets the focus.
 */
export function useForm(submit: (submission: Submission) => Promise<void>) {
  const busy = useSignal(false)
  const error = useSignal<unknown>(null)
  const clearError = () => {
    error.value = null
  }
  useSignalEffect(() => {
    if (live.value && error.peek() instanceof NetworkError) clearError()
  })

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = event.currentTarget
    if (busy.value || !(element instanceof HTMLFormElement)) return
    busy.value = true
    clearError()
    try {
      await submit(readForm(element, event.submitter))
    } catch (failure) {
      error.value = failure
      element.addEventListener('input', clearError, { once: true })
      requestAnimationFrame(() => element.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
    } finally {
      busy.value = false
    }
  }
  return { busy, error, clearError, onSubmit }
}

function readForm(element: HTMLFormElement, submitter: HTMLElement | null): Submission {
  const data = new FormData(element)
  const action = submitter instanceof HTMLButtonElement ? submitter.value : ''
  return { value: (name) => String(data.get(name) ?? ''), action, element }
}
